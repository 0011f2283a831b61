"""Seals: signed Merkle roots over runs of the log, each chained to the one before.

A run has no gap: it ends where a position is missing, so what lies between two runs is sealed as
empty. Whoever deletes, inserts, moves or rewrites a fact in the sealed part of the log is found
out, and `leaves` says where it was.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import LiteralString, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.locks import SEALER

RUN = 10_000
SHORT = 4  # bytes of a leaf that a seal keeps

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Seal(NamedTuple):
    """One row; `previous` is the root of the seal before, empty for the first; `leaves` holds the
    first four bytes of each leaf."""

    number: int
    first_position: int
    last_position: int
    events: int
    root: bytes
    leaves: bytes
    previous: bytes
    signature: bytes
    sealed_at: datetime

    @property
    def leaves_digest(self) -> bytes:
        """What the signature covers of `leaves`."""
        return sha256(self.leaves).digest()

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        at = (self.sealed_at - _EPOCH) // timedelta(microseconds=1)
        return (
            f"quire.seal.v1\t{self.number}\t{self.first_position}\t{self.last_position}"
            f"\t{self.events}\t{self.root.hex()}\t{self.leaves_digest.hex()}"
            f"\t{self.previous.hex()}\t{at}\n"
        ).encode()

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        try:
            key.verify(self.signature, self.signed)
        except InvalidSignature:
            return False
        return True


def leaf(position: int, link: bytes) -> bytes:
    """One fact in the tree (RFC 6962: leaves and nodes are hashed apart)."""
    return sha256(b"\x00" + position.to_bytes(8, "big") + link).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of RFC 6962's tree: an odd node at the end of a level moves up as it is."""
    level = list(leaves)
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def sign(
    key: Ed25519PrivateKey, before: Seal | None, facts: Sequence[tuple[int, bytes]], at: datetime
) -> Seal:
    """The seal of a run of (position, hash)."""
    leaves = [leaf(position, link) for position, link in facts]
    bare = Seal(
        number=before.number + 1 if before else 1,
        first_position=facts[0][0],
        last_position=facts[-1][0],
        events=len(facts),
        root=merkle_root(leaves),
        leaves=b"".join(each[:SHORT] for each in leaves),
        previous=before.root if before else b"",
        signature=b"",
        sealed_at=at,
    )
    return bare._replace(signature=key.sign(bare.signed))


async def take_turn(conn: AsyncConnection) -> bool:
    """Become the one sealer, for as long as the connection lives."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (SEALER,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def seal_next(conn: AsyncConnection, key: Ed25519PrivateKey, at: datetime) -> Seal | None:
    """Seal the next run, up to RUN facts or a gap; None when all of the log is sealed."""
    async with conn.transaction(), conn.cursor(binary=True) as cursor:
        before = await last(conn)
        await cursor.execute(
            "select position, hash from event where position > %s order by position limit %s",
            (before.last_position if before else 0, RUN),
        )
        facts: list[tuple[int, bytes]] = await cursor.fetchall()
        if not facts:
            return None
        first = facts[0][0]
        whole = [fact for n, fact in enumerate(facts) if fact[0] == first + n]
        seal = sign(key, before, whole, at)
        await cursor.execute(_INSERT, seal)
    return seal


async def last(conn: AsyncConnection) -> Seal | None:
    """The newest seal."""
    async with conn.cursor(binary=True, row_factory=args_row(Seal)) as cursor:
        await cursor.execute(f"{SELECT} order by number desc limit 1")
        return await cursor.fetchone()


async def after(conn: AsyncConnection, number: int, limit: int = 100) -> list[Seal]:
    """The seals that follow that one."""
    async with conn.cursor(binary=True, row_factory=args_row(Seal)) as cursor:
        await cursor.execute(
            f"{SELECT} where number > %s order by number limit %s", (number, limit)
        )
        return await cursor.fetchall()


SELECT: LiteralString = (
    "select number, first_position, last_position, events, root, leaves, previous, signature,"
    " sealed_at from seal"
)
_INSERT: LiteralString = "insert into seal values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
