"""Facts read again, for an auditor: in order, byte for byte. Nothing is ever sent."""

from collections.abc import AsyncIterator

from psycopg import AsyncConnection

from store.log import Recorded, head, read_order, tail

_AT_ONCE = 5_000


async def all_facts(conn: AsyncConnection, after: int = 0) -> AsyncIterator[Recorded]:
    """Every fact behind a position, up to where the log ends now."""
    end = await head(conn)
    while after < end:
        facts = await tail(conn, after, _AT_ONCE)
        for fact in facts:
            if fact.position > end:
                return
            yield fact
        after = facts[-1].position if facts else end


async def order_facts(
    conn: AsyncConnection, order_id: str, after: int = 0
) -> AsyncIterator[Recorded]:
    """Every fact of one order, in every context."""
    for fact in await read_order(conn, order_id):
        if fact.position > after:
            yield fact
