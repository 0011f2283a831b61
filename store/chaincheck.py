"""Checking hashes, versions and seals of one range of the log, as one piece of work."""

from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.catalog import EVENTS
from store.codec import UPCASTERS
from store.invariants import Books, Finding
from store.rawlog import PG_EPOCH, RawLog
from store.sealcheck import SealCheck

# Each field behind its length: position, hash; then what the hash covers, beginning with version,
# id, two times, causation, imported, and the length of the type.
_FIXED = Struct(">2x4xq4x32s4xi4x16x4x8x4xq4x16s4x?i")
_COVERED = 2 + 12 + 36
_LENGTH = Struct(">i")
_NO_CAUSE = bytes(16)

Heads = dict[bytes, tuple[int, bytes]]  # version and hash, by stream


class First(NamedTuple):
    """The first fact of a stream in a range, when the stream began before: to be linked later."""

    stream: bytes
    version: int
    position: int
    hashed: bytes
    link: bytes


@dataclass
class Part:
    """What a range tells; `heads` is where its streams end in it."""

    after: int
    events: int = 0
    seals: int = 0
    sealed_to: int = 0
    heads: Heads = field(default_factory=dict[bytes, tuple[int, bytes]])
    firsts: list[First] = field(default_factory=list[First])
    findings: list[Finding] = field(default_factory=list[Finding])


def check_range(
    log: RawLog,
    public_key: bytes | None,
    after: int,
    up_to: int | None,
    books: Books | None = None,
) -> Part:
    """Check the facts of a range, and the seals that end in it; enter the facts in `books`."""
    key = Ed25519PublicKey.from_public_bytes(public_key) if public_key else None
    part = Part(after)
    seals = SealCheck(key, part.findings.append, log.seal_before(after))
    _check(log, part, seals, books, up_to)
    part.seals = seals.check(log.seals(after, up_to))
    part.sealed_to = seals.sealed_to
    return part


def _check(
    log: RawLog, part: Part, seals: SealCheck, books: Books | None, up_to: int | None
) -> None:
    """One page on purpose: a call a fact less is a tenth of the time."""
    heads, see, count = part.heads, seals.see, 0
    sealed_to = log.sealed_to
    fixed, size, length_at = _FIXED.unpack_from, _FIXED.size, _LENGTH.unpack_from
    known_kinds = {kind.encode() for kind in EVENTS.keys() | UPCASTERS.keys()}
    booked = books.kinds if books else frozenset[bytes]()
    enter = (books or Books()).enter

    def find(code: str, detail: str) -> None:
        part.findings.append(Finding(code, position, stream.decode(), detail))

    for row in log.facts(part.after, up_to):
        position, link, version, recorded, causation, imported, length = fixed(row)
        at = size + length
        kind = row[size:at]
        [length] = length_at(row, at)
        end = at + 4 + length
        stream = row[at + 4 : end]
        head = heads.get(stream)
        if head is None and version != 1:
            part.firsts.append(First(stream, version, position, row[_COVERED:], link))
        else:
            known, previous = head or (0, b"")
            if version != known + 1:
                find("version_gap", f"{version} follows {known}")
            if sha256(previous + row[_COVERED:]).digest() != link:
                find("hash_differs", f"version {version}, {kind.decode()}")
        heads[stream] = (version, link)
        if position <= sealed_to:
            see((position, stream, link))
        [correlation] = length_at(row, end)
        at = end + 4 + correlation
        [source] = length_at(row, at)
        if causation == _NO_CAUSE or not correlation or not source:
            find("no_cause", f"version {version}, {kind.decode()}")
        if kind in booked:
            enter(position, recorded + PG_EPOCH, kind, row[at + 8 + source :], imported)
        elif kind not in known_kinds:
            find("unreadable", f"nobody knows {kind.decode()}")
        count += 1
    part.events = count
