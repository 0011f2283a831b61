"""The weekly parts of outcome: there in time, dropped when nobody can ask for them any more."""

from datetime import date, timedelta
from typing import LiteralString

from psycopg import AsyncConnection

WEEK = timedelta(days=7)
AHEAD = 5  # a timer's id carries its due time, up to 30 days from now


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


async def make_ready(conn: AsyncConnection, today: date) -> list[date]:
    """Add the parts of this week and the next ones; gives the weeks that are new."""
    weeks = [monday(today) + ahead * WEEK for ahead in range(AHEAD + 1)]
    return [week for week in weeks if await _call(conn, "select add_outcome_part(%s)", week)]


async def drop_old(conn: AsyncConnection) -> list[date]:
    """Drop the parts that are over; gives their weeks. The database says which may go."""
    cursor = await conn.execute(
        "select to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i"
        " join pg_class c on c.oid = i.inhrelid where i.inhparent = 'outcome'::regclass"
        " and c.relname ~ '^outcome_[0-9]{8}$' order by 1"
    )
    weeks: list[date] = [row[0] for row in await cursor.fetchall()]
    return [week for week in weeks if await _call(conn, "select drop_outcome_part(%s)", week)]


async def _call(conn: AsyncConnection, statement: LiteralString, week: date) -> bool:
    cursor = await conn.execute(statement, (week,))
    row = await cursor.fetchone()
    return bool(row and row[0])
