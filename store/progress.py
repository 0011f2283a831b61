"""How far each reader of the log is behind it."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import AsyncConnection

_COUNTED_UP_TO = 1_000_000  # who is behind by more is told so; counting on would only add load


class Behind(NamedTuple):
    """What a reader has not read yet: how many facts, and how long the first has waited."""

    records: int
    seconds: float


async def behind(conn: AsyncConnection, checkpoints: Sequence[str]) -> dict[str, Behind]:
    """Give the distance to the end of the log of each checkpoint that exists, and of `seal`."""
    cursor = await conn.execute(
        "select r.name, u.records, coalesce(extract(epoch from now() - u.since), 0)::float8"
        " from (select name, position from checkpoint where name = any(%b::text[])"
        " union all (select 'seal', last_position from seal order by number desc limit 1)) r"
        " cross join lateral (select count(*) as records, min(recorded_at) as since from"
        " (select recorded_at from event where position > r.position order by position limit %s)"
        " unread) u",
        (list(checkpoints), _COUNTED_UP_TO),
    )
    return {row[0]: Behind(row[1], max(0.0, row[2])) for row in await cursor.fetchall()}


class Unread(NamedTuple):
    """What a reader has not read yet: the distance to the end of the log, and how long the first
    fact of it has waited."""

    positions: int
    seconds: float


async def unread(conn: AsyncConnection, checkpoints: Sequence[str]) -> dict[str, Unread]:
    """The same for who asks often, of those too that read nothing yet: nothing is counted, so it
    costs the same however much it is."""
    cursor = await conn.execute(
        "select r.name, greatest(0, h.position - r.position), coalesce(extract(epoch from now() -"
        " (select recorded_at from event where position > r.position order by position limit 1)"
        "), 0)::float8 from (select name, coalesce(c.position, 0) as position"
        " from unnest(%b::text[]) as wanted(name) left join checkpoint c using (name)"
        " where name <> 'seal' union all"
        " select 'seal', coalesce("
        "(select last_position from seal order by number desc limit 1), 0)) r,"
        " (select coalesce(max(position), 0) as position from event) h",
        (list(checkpoints),),
    )
    return {row[0]: Unread(row[1], max(0.0, row[2])) for row in await cursor.fetchall()}


async def overdue(conn: AsyncConnection) -> Behind:
    """How many timers are due and nobody has handled, and how long the first has been due."""
    cursor = await conn.execute(
        "select count(*), coalesce(extract(epoch from now() - min(due_at)), 0)::float8 from"
        " (select due_at from timer where due_at <= now() and not exists"
        " (select from outcome where command_id = timer.id) order by due_at limit %s) as late",
        (_COUNTED_UP_TO,),
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate has one row"
    return Behind(row[0], max(0.0, row[1]))


async def has_stock(conn: AsyncConnection) -> bool:
    """Tell whether anything was ever received."""
    cursor = await conn.execute("select exists (select from stock_level)")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
