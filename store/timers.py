"""Durable deadlines, as the process that announces them reads them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row


class Timer(NamedTuple):
    """A deadline that is armed; `command` is what happens then, as JSON."""

    id: UUID
    stream: str
    name: str
    due_at: datetime
    kind: str
    key: str
    context: str
    correlation: str
    causation: UUID
    command: str


# Each context for itself: what a worker that stands still leaves undone must not stand before what
# the others have to do.
_DUE = (
    "select t.* from unnest(%b::text[]) as c(context) cross join lateral"
    " (select id, stream, name, due_at, kind, key, context, correlation, causation, command"
    " from timer where timer.context = c.context and due_at <= %b and not exists"
    " (select from outcome where outcome.command_id = timer.id)"
    " order by timer.due_at, timer.id limit %b) as t order by t.due_at, t.id"
)


async def now(conn: AsyncConnection) -> datetime:
    """The database's clock, which all who compare with `due_at` share."""
    cursor = await conn.execute("select clock_timestamp()")
    row = await cursor.fetchone()
    assert row is not None, "a select of one value has one row"
    return row[0]


async def any_due(conn: AsyncConnection, at: datetime) -> bool:
    """Whether a timer is due, handled or not: cheap enough to ask often."""
    cursor = await conn.execute("select exists (select from timer where due_at <= %s)", (at,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def due(
    conn: AsyncConnection, contexts: Sequence[str], at: datetime, limit: int
) -> list[Timer]:
    """What is due at that time and has no outcome yet, earliest first; so many of each context."""
    async with conn.cursor(binary=True, row_factory=args_row(Timer)) as cursor:
        await cursor.execute(_DUE, (list(contexts), at, limit))
        return await cursor.fetchall()


async def armed(conn: AsyncConnection, streams: Sequence[str]) -> dict[UUID, tuple[str, str]]:
    """The timers of these streams by id, each with its stream and name."""
    cursor = await conn.execute(
        "select id, stream, name from timer where stream = any(%b::text[])", (list(streams),)
    )
    return {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}
