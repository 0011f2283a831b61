"""Which parked messages a person means, and all of them by cause."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.parked import COLUMNS, Parked


class Choice(NamedTuple):
    """All that is set has to fit; nothing set is everything. `after` and `upto` bound the ids."""

    ids: Sequence[int] = ()
    processor: str = ""
    topic: str = ""
    key: str = ""
    cause: str = ""
    after: int = 0
    upto: int = 0


class Extent(NamedTuple):
    """How many are meant, and the newest of them: what comes later is not."""

    messages: int
    upto: int


Place = tuple[str, str, int]
"""Where a message stands when they are sorted by processor and key."""
BEFORE_ALL: Place = ("", "", 0)


class Group(NamedTuple):
    """Messages parked for one cause; `error` is that of the newest, `first_id` the oldest."""

    cause: str
    processor: str
    kind: str
    messages: int
    keys: int
    wished: int
    first_id: int
    oldest: datetime
    newest: datetime
    error: str


_ASKED: dict[str, LiteralString] = {
    "ids": "{0}.id = any(%s)",
    "processor": "{0}.processor = %s",
    "topic": "{0}.topic = %s",
    "key": "{0}.key = %s",
    "cause": "{0}.cause = %s",
    "after": "{0}.id > %s",
    "upto": "{0}.id <= %s",
}


def _where(choice: Choice, table: LiteralString = "parked") -> tuple[LiteralString, list[Any]]:
    conditions: list[LiteralString] = ["true"]
    values: list[Any] = []
    for name, condition in _ASKED.items():
        if value := getattr(choice, name):
            conditions.append(condition.format(table))
            values.append(list(value) if name == "ids" else value)
    return " and ".join(conditions), values


async def extent(conn: AsyncConnection, choice: Choice) -> Extent:
    """How many there are now, up to which id."""
    where, values = _where(choice)
    cursor = await conn.execute(
        f"select count(*), coalesce(max(id), 0) from parked where {where}", values
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate has one row"
    return Extent(*row)


async def chosen(conn: AsyncConnection, choice: Choice, *, limit: int) -> list[Parked]:
    """A page, oldest first; the next one is after the last id."""
    where, values = _where(choice)
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from parked where {where} order by id limit %s", [*values, limit]
        )
        return await cursor.fetchall()


async def numbers(conn: AsyncConnection, choice: Choice, *, limit: int) -> list[int]:
    """The ids of such a page."""
    where, values = _where(choice)
    cursor = await conn.execute(
        f"select id from parked where {where} order by id limit %s", [*values, limit]
    )
    return [row[0] for row in await cursor.fetchall()]


async def by_key(
    conn: AsyncConnection, choice: Choice, *, after: Place, limit: int
) -> list[Parked]:
    """A page sorted by processor and key, so that all of a key come one after the other."""
    where, values = _where(choice)
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from parked where {where} and (processor, key, id) > (%s, %s, %s)"
            " order by processor, key, id limit %s",
            [*values, *after, limit],
        )
        return await cursor.fetchall()


async def following(conn: AsyncConnection, choice: Choice) -> int:
    """How many that only stand behind these, and are not among them, go on when these are gone."""
    (theirs, values), (own, own_values) = _where(choice, "one"), _where(choice, "p")
    cursor = await conn.execute(
        f"select count(*) from parked p where p.cause = 'behind' and not ({own})"
        " and exists (select from parked one where one.processor = p.processor"
        f" and one.key = p.key and {theirs})",
        [*own_values, *values],
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


async def held_back(conn: AsyncConnection, choice: Choice, rows: Sequence[Parked]) -> set[int]:
    """Those of the rows that have to wait for one of their key that is not among the chosen."""
    where, values = _where(choice, "head")
    cursor = await conn.execute(
        "select p.id from parked p where p.id = any(%s) and exists (select from parked head"
        " where head.processor = p.processor and head.key = p.key and head.id < p.id"
        f" and head.cause <> 'behind' and head.wish is null and not ({where}))",
        [[row.id for row in rows], *values],
    )
    return {row[0] for row in await cursor.fetchall()}


async def groups(conn: AsyncConnection, choice: Choice) -> list[Group]:
    """Grouped by cause, processor and kind, the largest first."""
    where, values = _where(choice)
    async with conn.cursor(row_factory=args_row(Group)) as cursor:
        await cursor.execute(
            "select cause, processor, kind, count(*), count(distinct key), count(wish), min(id),"
            " min(parked_at), max(parked_at), (array_agg(error order by id desc))[1]"
            f" from parked where {where} group by cause, processor, kind"
            " order by count(*) desc, cause, processor, kind",
            values,
        )
        return await cursor.fetchall()
