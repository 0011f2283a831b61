"""Facts read again, for an auditor: in order, byte for byte. Nothing is ever sent."""

from collections.abc import AsyncIterator
from struct import Struct
from uuid import UUID

from psycopg import AsyncConnection

from store import rawlog
from store.feed import moment, streamed
from store.log import Recorded, head, read_order

_AT_ONCE = 10_000  # positions; who prints may take his time, and no snapshot is held meanwhile
_fixed = Struct(">2x4xq4x32s4xi4x16s4xq4xq4x16s4x?")  # as far as imported
_length = Struct(">i")


async def all_facts(conn: AsyncConnection, after: int = 0) -> AsyncIterator[Recorded]:
    """Every fact behind a position, up to where the log ends now."""
    end = await head(conn)
    for begin in range(after, end, _AT_ONCE):
        rows: list[bytes] = []
        await streamed(conn, rawlog.facts_of(begin, min(begin + _AT_ONCE, end)), rows.extend)
        for row in rows:
            yield _recorded(row)


def _recorded(row: bytes) -> Recorded:
    """A fact as COPY sends it; see `store.chain` for what stands in it."""
    position, hash, version, id, occurred, recorded, causation, imported = _fixed.unpack_from(row)
    texts: list[bytes] = []
    at = _fixed.size
    while at < len(row):
        [length] = _length.unpack_from(row, at)
        texts.append(row[at + 4 : at + 4 + length])
        at += 4 + length
    type, stream, correlation, source = (text.decode() for text in texts[:4])
    return Recorded(
        position,
        stream,
        version,
        type,
        UUID(bytes=id),
        moment(occurred),
        moment(recorded),
        correlation,
        UUID(bytes=causation),
        source,
        imported,
        texts[4],
        hash,
    )


async def order_facts(
    conn: AsyncConnection, order_id: str, after: int = 0
) -> AsyncIterator[Recorded]:
    """Every fact of one order, in every context."""
    for fact in await read_order(conn, order_id):
        if fact.position > after:
            yield fact
