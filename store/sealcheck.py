"""Holding the log against its seals, and naming the position where the two part."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from store.invariants import Finding
from store.seals import SHORT, Seal, leaf, merkle_root

_position = itemgetter(0)
_NAMED = 20  # positions named of one run; a run that is gone altogether needs no ten thousand


class SealCheck:
    """Sees the facts of a range, in order, then the seals that end in it."""

    def __init__(
        self,
        key: Ed25519PublicKey | None,
        report: Callable[[Finding], None],
        before: Seal | None = None,
    ) -> None:
        self._key = key
        self._report = report
        self._root = before.root if before else b""
        self._seen: list[tuple[int, bytes, bytes]] = []
        self.see = self._seen.append  # position, stream, link of each fact up to the last seal
        self._next = 0  # the first of them that no seal was held against yet
        self.number = before.number if before else 0
        self.sealed_to = before.last_position if before else 0

    def check(self, seals: Sequence[Seal]) -> int:
        """Look at the seals that end where the facts seen so far do, or before; count them."""
        for seal in seals:
            self._seal(seal)
        return len(seals)

    def _seal(self, seal: Seal) -> None:
        self._check_chain(seal)
        seen = self._seen
        first = bisect_left(seen, seal.first_position, self._next, key=_position)
        end = bisect_right(seen, seal.last_position, first, key=_position)
        for position, stream, _ in seen[self._next : first]:
            detail = f"seal {seal.number} knows no such fact"
            self._find("inserted", position, stream.decode(), detail)
        leaves = [leaf(position, link) for position, _, link in seen[first:end]]
        if merkle_root(leaves) != seal.root:
            known = zip(seen[first:end], leaves, strict=True)
            self._locate(seal, {one[0]: (one[1].decode(), hashed) for one, hashed in known})
        self._next = end
        self._root, self.number, self.sealed_to = seal.root, seal.number, seal.last_position

    def _check_chain(self, seal: Seal) -> None:
        at = seal.first_position
        if seal.number != self.number + 1:
            detail = f"seal {seal.number} follows {self.number}"
            self._find("seal_missing", at, "seal", detail)
        elif seal.previous != self._root:
            detail = f"seal {seal.number} does not continue the one before"
            self._find("seal_unchained", at, "seal", detail)
        span = seal.last_position - seal.first_position + 1
        if (
            self._key is None
            or not seal.is_signed_by(self._key)
            or not span == seal.events == len(seal.leaves) // SHORT
        ):
            detail = "no key to check it with" if self._key is None else "the signature is wrong"
            self._find("seal_unsigned", at, "seal", f"seal {seal.number}: {detail}")

    def _locate(self, seal: Seal, present: dict[int, tuple[str, bytes]]) -> None:
        """Name each position where the run is not what was sealed."""
        named = 0
        for place, position in enumerate(range(seal.first_position, seal.last_position + 1)):
            sealed = seal.leaves[place * SHORT : (place + 1) * SHORT]
            stream, hashed = present.get(position, ("", b""))
            if hashed[:SHORT] == sealed:
                continue
            named += 1
            if named > _NAMED:
                break
            detail = f"not what seal {seal.number} covers"
            self._find("rewritten" if hashed else "deleted", position, stream, detail)
        if not named:
            detail = f"the root of seal {seal.number} is another one"
            self._find("rewritten", seal.first_position, "seal", detail)

    def _find(self, code: str, position: int, subject: str, detail: str) -> None:
        self._report(Finding(code, position, subject, detail))
