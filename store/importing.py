"""History goes into the log: appended at its end, marked as imported; its past is read back."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store import shelf
from store.errors import translated
from store.locks import IMPORT
from store.log import APPEND, COLUMNS, NewEvent, Recorded, columns
from store.shelf import Shelves, StockRow

_PAST: LiteralString = (
    f"select {COLUMNS} from event where stream >= %s and stream < %s order by stream, version"
)


async def past(conn: AsyncConnection, prefix: str) -> AsyncIterator[Recorded]:
    """The facts of every stream whose name begins so, stream by stream; imported or not."""
    async with (
        conn.transaction(),
        conn.cursor("past", binary=True, row_factory=args_row(Recorded)) as cursor,
    ):
        cursor.itersize = 5_000
        await cursor.execute(_PAST, (prefix, f"{prefix}\U0010ffff"))
        async for recorded in cursor:
            yield recorded


async def take_turn(conn: AsyncConnection) -> bool:
    """Become the one importer, for as long as the connection lives."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (IMPORT,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def threads(conn: AsyncConnection, source: str) -> set[str]:
    """The correlations of all that was imported from `source`. Reads the whole log."""
    cursor = await conn.execute(
        "select distinct correlation from event where imported and source = %s", (source,)
    )
    return {row[0] for row in await cursor.fetchall()}


@asynccontextmanager
async def batch(
    conn: AsyncConnection, skus: Sequence[str], *, keep: bool = True
) -> AsyncGenerator[Shelves]:
    """One transaction, with the stock rows locked, undone in the end unless `keep`.

    Raises Stale when others wrote meanwhile.
    """
    with translated():
        async with conn.transaction(force_rollback=not keep):
            yield await shelf.lock(conn, skus)


async def append(
    conn: AsyncConnection, events: Sequence[NewEvent], rows: Mapping[str, StockRow]
) -> None:
    """Write the changed stock rows and the facts; nothing may be locked after this."""
    same = Shelves({}, {})
    await shelf.write(conn, rows, same, same)
    if events:
        await conn.execute(APPEND, columns(events))
        await conn.execute("notify quire_log")
