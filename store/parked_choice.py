"""Which parked messages a person means, and all of them by cause."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.parked import COLUMNS, Parked


class Choice(NamedTuple):
    """All that is set has to fit; nothing set is everything."""

    ids: Sequence[int] = ()
    processor: str = ""
    topic: str = ""
    key: str = ""
    cause: str = ""


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
    "ids": "id = any(%s)",
    "processor": "processor = %s",
    "topic": "topic = %s",
    "key": "key = %s",
    "cause": "cause = %s",
}


def _where(choice: Choice) -> tuple[LiteralString, list[Any]]:
    conditions: list[LiteralString] = ["true"]
    values: list[Any] = []
    for name, condition in _ASKED.items():
        value = getattr(choice, name)
        if value:
            conditions.append(condition)
            values.append(list(value) if name == "ids" else value)
    return " and ".join(conditions), values


async def chosen(
    conn: AsyncConnection, choice: Choice, *, after: int = 0, limit: int = 100
) -> list[Parked]:
    """Those that are meant, oldest first."""
    where, values = _where(choice)
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from parked where {where} and id > %s order by id limit %s",
            [*values, after, limit],
        )
        return await cursor.fetchall()


async def following(conn: AsyncConnection, rows: Sequence[Parked]) -> int:
    """How many that only stand behind these, and are not among them, go on when these are gone."""
    if not rows:
        return 0
    ids = [row.id for row in rows]
    keys = sorted({(row.processor, row.key) for row in rows})
    cursor = await conn.execute(
        "select count(*) from parked p join unnest(%s::text[], %s::text[]) as k(processor, key)"
        " using (processor, key) where p.cause = 'behind' and not p.id = any(%s)",
        ([one for one, _ in keys], [key for _, key in keys], ids),
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


async def held_back(conn: AsyncConnection, rows: Sequence[Parked]) -> set[int]:
    """Those that have to wait for one of their key that is not among them."""
    cursor = await conn.execute(
        "select p.id from parked p where p.id = any(%s) and exists (select from parked head"
        " where head.processor = p.processor and head.key = p.key and head.id < p.id"
        " and head.cause <> 'behind' and head.wish is null and not head.id = any(%s))",
        ([row.id for row in rows], [row.id for row in rows]),
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
