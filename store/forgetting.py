"""Wishes that have grown old: their answers are dropped, later the rows; a page of them at a time.

A row is kept as long as the outcome of its command. Both say that the wish was done: without them
a request that comes again would be a new wish. The rows of goods receipts are kept for good: a
supplier may send the same file every night for years.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from psycopg import AsyncConnection

KEPT = timedelta(days=30)
"""How long an outcome is kept at least (drop_outcome_part)."""

_FORGOTTEN: LiteralString = (
    r"(topic <> 'quire.inventory.commands' or caller !~ '^(event|record)(\.\d+)?:')"
)
"""All but goods receipts: of the wishes whose caller is a source of the intake only those go to
inventory. Word for word as in the index `idempotency_forgotten`, or that would not be used."""


async def older_than(conn: AsyncConnection, age: timedelta) -> datetime:
    """Up to when wishes are that old, by the database's clock, and known to have had an outcome.

    The checkpoint of wishes is in milliseconds; nothing at all is old before it was first moved.
    """
    cursor = await conn.execute(
        "select least(clock_timestamp() - %s, to_timestamp(coalesce("
        "(select position from checkpoint where name = 'wishes'), 0) / 1000.0))",
        (age,),
    )
    row = await cursor.fetchone()
    assert row is not None, "a select of one value has one row"
    return row[0]


async def page_end(
    conn: AsyncConnection, after: datetime, before: datetime, size: int, *, receipts: bool = True
) -> datetime:
    """Where a page of so many wishes ends that begins after that time; `before` for the last.

    Without `receipts` those that are kept for good are not walked over.
    """
    meant = "" if receipts else f" and {_FORGOTTEN}"
    cursor = await conn.execute(
        f"select created_at from idempotency where created_at > %s and created_at <= %s{meant}"
        " order by created_at offset %s limit 1",
        (after, before, size - 1),
    )
    row = await cursor.fetchone()
    return row[0] if row else before


async def drop_answers(conn: AsyncConnection, after: datetime, until: datetime) -> int:
    """Drop the answers of that time; says how many. Kafka had what has an outcome, marked or not:
    it must never be published again once that outcome is gone."""
    cursor = await conn.execute(
        "update idempotency set answer = null, state = 'answered'"
        " where created_at > %s and created_at <= %s and answer is not null and exists"
        " (select from outcome where outcome.command_id = idempotency.command_id)",
        (after, until),
    )
    return cursor.rowcount


async def close_receipts(conn: AsyncConnection, after: datetime, until: datetime) -> int:
    """Say of the goods receipts of that time whose outcome is gone that they are done, so that
    nobody publishes them again; says of how many that was not known."""
    cursor = await conn.execute(
        "update idempotency set answer = null, state = 'answered'"
        " where created_at > %s and created_at <= %s and answer is not null"
        f" and not {_FORGOTTEN} and not exists"
        " (select from outcome where outcome.command_id = idempotency.command_id)",
        (after, until),
    )
    return cursor.rowcount


async def drop_rows(conn: AsyncConnection, after: datetime, until: datetime) -> int:
    """Drop the wishes of that time whose outcome is gone, but no goods receipt that came through
    the intake; says how many."""
    cursor = await conn.execute(
        f"delete from idempotency where created_at > %s and created_at <= %s and {_FORGOTTEN}"
        " and not exists"
        " (select from outcome where outcome.command_id = idempotency.command_id)",
        (after, until),
    )
    return cursor.rowcount
