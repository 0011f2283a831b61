"""The view of revenue: one row a day and currency, money in minor units.

A day is a day of UTC, by the time at which the fact occurred (imports: the file's own time).

- An order counts once it is confirmed, on the day it was *placed*: `orders` 1, `units` and `gross`
  what its lines still held then (quantity x unit price, without charges), `charges` its charges. An
  order that was rejected, declined, cancelled or expired before that never counts.
- `cancelled_units` and `cancelled`: lines taken back after the confirmation, at their price, on the
  day of the cancellation. `returned_units` and `returned`: lines that came back and were settled,
  at their price, on the day of the settlement. Both are positive and are not taken off `gross`.
- `captured` and `refunded`: money taken and given back, on the day it moved.

So `gross` over any days is what was sold in them, and gross - cancelled - returned over all time is
what stayed sold.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import LiteralString, NamedTuple

import msgspec
from psycopg import AsyncConnection

from domain.message import Event, LineQuantity
from domain.order import messages as order
from domain.payment import messages as payment
from store.log import Stamped
from store.views.document import OrderDocument

NAME = "view/revenue"
TABLE = "revenue_daily"


class Row(NamedTuple):
    """A row of the table, in the order of its columns; also the change to one."""

    day: date
    currency: str
    orders: int = 0
    units: int = 0
    gross: int = 0
    charges: int = 0
    cancelled_units: int = 0
    cancelled: int = 0
    returned_units: int = 0
    returned: int = 0
    captured: int = 0
    refunded: int = 0


Rows = dict[tuple[date, str], Row]


def fold(rows: Rows, document: OrderDocument | None, event: Event, recorded: Stamped) -> None:
    """Add what the fact changes to `rows`; `document` is the order as it was before the fact."""
    if document is None:
        return
    change = _change(document, event, recorded)
    if change is None:
        return
    key = (change.day, change.currency)
    before = rows.get(key)
    if before is not None:
        change = Row(*key, *map(sum, zip(before[2:], change[2:], strict=True)))
    rows[key] = change


def _change(document: OrderDocument, event: Event, recorded: Stamped) -> Row | None:
    currency = document.totals.currency
    today = _day(recorded.occurred_at)
    match event:
        case order.OrderConfirmed():
            return Row(
                _day(document.placed_at),
                currency,
                orders=1,
                units=sum(line.left for line in document.lines),
                gross=sum(line.left * line.unit_price.amount_minor for line in document.lines),
                charges=document.totals.charges,
            )
        case order.OrderLinesCancelled(lines=lines) if document.parcels:
            units, worth = _worth(document, lines)
            return Row(today, currency, cancelled_units=units, cancelled=worth)
        case order.ReturnSettled(lines=lines):
            units, worth = _worth(document, lines)
            return Row(today, currency, returned_units=units, returned=worth)
        case payment.PaymentCaptured(amount=amount):
            return Row(today, currency, captured=amount.amount_minor)
        case payment.PaymentRefunded(amount=amount):
            return Row(today, currency, refunded=amount.amount_minor)
        case _:
            return None


def _day(time: datetime) -> date:
    return time.astimezone(UTC).date()


def _worth(document: OrderDocument, lines: Iterable[LineQuantity]) -> tuple[int, int]:
    prices = {line.line: line.unit_price.amount_minor for line in document.lines}
    units, worth = 0, 0
    for line in lines:
        units += line.quantity
        worth += line.quantity * prices.get(line.line, 0)
    return units, worth


COLUMNS: LiteralString = (
    "day, currency, orders, units, gross, charges, cancelled_units, cancelled, returned_units,"
    " returned, captured, refunded"
)
_ADD: LiteralString = (
    "insert into revenue_daily (day, currency, orders, units, gross, charges, cancelled_units,"
    " cancelled, returned_units, returned, captured, refunded)"
    " select * from unnest(%b::date[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],"
    " %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],"
    " %b::bigint[]) on conflict (day, currency) do update set"
    " orders = revenue_daily.orders + excluded.orders,"
    " units = revenue_daily.units + excluded.units,"
    " gross = revenue_daily.gross + excluded.gross,"
    " charges = revenue_daily.charges + excluded.charges,"
    " cancelled_units = revenue_daily.cancelled_units + excluded.cancelled_units,"
    " cancelled = revenue_daily.cancelled + excluded.cancelled,"
    " returned_units = revenue_daily.returned_units + excluded.returned_units,"
    " returned = revenue_daily.returned + excluded.returned,"
    " captured = revenue_daily.captured + excluded.captured,"
    " refunded = revenue_daily.refunded + excluded.refunded"
)


async def write(conn: AsyncConnection, changes: Iterable[Row]) -> None:
    """Add the changes to the rows."""
    rows = sorted(changes)
    if rows:
        await conn.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


async def read(conn: AsyncConnection, since: date | None, until: date | None) -> bytes:
    """The days from `since` to `until`, both included, as one JSON list ready to serve."""
    cursor = await conn.execute(
        f"select {COLUMNS} from revenue_daily"
        " where day >= coalesce(%s::date, '-infinity') and day <= coalesce(%s::date, 'infinity')"
        " order by day, currency",
        (since, until),
    )
    rows = [Row(*row)._asdict() for row in await cursor.fetchall()]
    return msgspec.json.encode(rows)
