"""The log folded again, and every row of every view held against it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from store.rawlog import no_garbage
from store.views import batch, orders, progress
from store.views.document import decode
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
        with no_garbage():
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
            if expected == row:
                continue
            difference = _difference(view, names, row[:width], row, expected)
            if difference is not None:
                found(difference)
    for key, expected in folded.items():
        found(Difference(view.name, _name(key), None, _readable(names, expected)))
    return count


def _difference(
    view: View,
    names: Sequence[str],
    key: Sequence[object],
    shown: Sequence[object],
    expected: Sequence[object] | None,
) -> Difference | None:
    """Only the fields that differ; None when all that differs is a field newer than the text."""
    left = _readable(names, shown)
    if expected is None:
        return Difference(view.name, _name(key), left, None)
    right = _readable(names, expected)
    differing = {
        name
        for name in left.keys() | right.keys()
        if left.get(name) != right.get(name) and not (name not in left and not right[name])
    }
    if not differing:
        return None
    return Difference(
        view.name,
        _name(key),
        {name: left.get(name) for name in sorted(differing)},
        {name: right.get(name) for name in sorted(differing)},
    )


def _name(key: Sequence[object]) -> str:
    return " ".join(map(str, key))


def _readable(names: Sequence[str], row: Sequence[object]) -> dict[str, Any]:
    """The row by field, a document by its own fields, with those that its text is too old for."""
    fields: dict[str, Any] = dict(zip(names, row, strict=True))
    text = fields.pop("document", "{}")
    try:
        document: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        with suppress(msgspec.ValidationError):  # not a document: as it stands
            whole: dict[str, Any] = msgspec.to_builtins(decode(text), builtin_types=())
            document |= {name: whole[name] for name in document if name in whole}
    except msgspec.DecodeError:
        document = {"": text}
    return fields | {f"document.{name}": value for name, value in document.items()}
