"""The log folded again, and every row of every view held against it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from store.views import batch, orders, progress
from store.views.every import VIEWS, View, fold

_ROWS_AT_ONCE = 1_000


class Difference(NamedTuple):
    """A row that is not what the log says; one of the two is missing when it is None."""

    view: str
    key: str
    shown: dict[str, Any] | None
    folded: dict[str, Any] | None


class Compared(NamedTuple):
    """What a comparison looked at."""

    position: int
    rows: dict[str, int]


async def compare(conn: AsyncConnection, found: Callable[[Difference], None]) -> Compared:
    """Fold the log again and hold every row of every view against it, in one snapshot."""
    async with conn.transaction():
        await conn.execute("set transaction isolation level repeatable read, read only")
        at = await progress.reached(conn, orders.NAME)
        changes = batch.Changes()
        await fold(conn, changes, 0, at)
        rows = {
            name: await _hold_against(conn, view, changes, found) for name, view in VIEWS.items()
        }
    return Compared(at, rows)


async def _hold_against(
    conn: AsyncConnection,
    view: View,
    changes: batch.Changes,
    found: Callable[[Difference], None],
) -> int:
    names = view.columns.split(", ")
    width = 2 if view.table == "revenue_daily" else 1
    folded = {row[:width]: tuple(row) for row in view.rows(changes)}
    count = 0
    async with conn.cursor(f"compare_{view.table}", binary=True) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        await cursor.execute(f"select {view.columns} from {view.table}")
        async for row in cursor:
            count += 1
            expected = folded.pop(row[:width], None)
            if expected != row:
                found(_difference(view, names, row[:width], row, expected))
    for key, expected in folded.items():
        found(_difference(view, names, key, None, expected))
    return count


def _difference(
    view: View,
    names: Sequence[str],
    key: Sequence[object],
    shown: Sequence[object] | None,
    expected: Sequence[object] | None,
) -> Difference:
    return Difference(
        view.name,
        " ".join(map(str, key)),
        _readable(names, shown),
        _readable(names, expected),
    )


def _readable(names: Sequence[str], row: Sequence[object] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    fields = dict(zip(names, row, strict=True))
    document = fields.get("document")
    if isinstance(document, str):
        with suppress(msgspec.DecodeError):  # then shown as the text that it is
            fields["document"] = msgspec.json.decode(document)
    return fields
