"""Orders by the minute at which they were placed: counted in the view and the log when asked for.

Nobody keeps them, so nothing can go stale. Who counts what it is told, as the wall does,
takes from here what it was not told.
"""

from datetime import UTC, datetime
from typing import LiteralString

from msgspec import Struct
from psycopg import AsyncConnection

from domain.order.messages import OrderPlaced
from store.views import orders

_READ: LiteralString = (
    "with placed as (select date_trunc('minute', placed_at, 'UTC') as minute,"
    " data->'total'->>'currency' as currency, count(*) as orders,"
    " sum((data->'total'->>'amount_minor')::bigint)::bigint as amount"
    " from order_view cross join lateral (select data from event"
    " where stream = 'order-' || order_id and version = 1 and type = %s limit 1) as first"
    " where placed_at >= %s and placed_at < %s group by 1, 2)"
    " select (select position from checkpoint where name = %s), minute, currency, orders, amount"
    " from (select) as one left join placed on true order by minute"
)
"""One statement, so that the position and the rows are those of one moment. The limit keeps the log
from being read whole: each first fact is looked up."""


class Tally(Struct):
    """`revenue` in minor units by currency: what the orders came to when they were placed."""

    orders: int
    revenue: dict[str, int]


class Counted(Struct):
    """By the begin of the minute, those with orders; every order up to `position` is in it."""

    position: int
    minutes: dict[str, Tally]


def name_of(minute: datetime) -> str:
    """A minute as it is called everywhere: by its begin, in UTC."""
    return minute.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


async def read(conn: AsyncConnection, since: datetime, until: datetime) -> Counted:
    """The orders placed from `since` on and before `until`."""
    cursor = await conn.execute(_READ, (OrderPlaced.type, since, until, orders.NAME))
    counted = Counted(0, {})
    for position, minute, currency, many, amount in await cursor.fetchall():
        counted.position = position or 0
        if minute is None:
            continue
        tally = counted.minutes.setdefault(name_of(minute), Tally(0, {}))
        tally.orders += many
        tally.revenue[currency] = amount
    return counted
