"""What a load left behind, read from log, view and the provider's ledger when all is over."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import LiteralString, NamedTuple

from psycopg import AsyncConnection

from domain.inventory.messages import (
    ReservationCommitted,
    ReservationReleased,
    StockAdjusted,
    StockReceived,
    StockReserved,
    StockRestocked,
)
from gateways.ledger import Entry
from store.codec import decode_event

ONCE = (
    "quire.order.placed.v1",
    "quire.order.confirmed.v1",
    "quire.inventory.reserved.v1",
    "quire.payment.authorized.v1",
    "quire.payment.captured.v1",
)
_STOCK = (
    StockAdjusted, StockReceived, StockReserved, StockRestocked, ReservationCommitted,
    ReservationReleased,
)  # fmt: skip
AT_REST = {"cancelled", "rejected", "expired", "completed", "on_hold", "awaiting_payment"}

_ENDINGS: LiteralString = (
    "select substr(stream, 7), type, max(position) from event"
    " where position > %s and type = any(%b::text[]) group by 1, 2"
)
_TWICE: LiteralString = (
    "select stream, type from event where position > %s and type = any(%b::text[])"
    " group by 1, 2, data ->> 'parcel_id' having count(*) > 1"
)
_VIEWED: LiteralString = (
    "select order_id, status, document::json ->> 'fulfilment' from order_view"
    " where order_id = any(%b::text[])"
)
_OF_STOCK: LiteralString = (
    "select type, data::text from event where type = any(%b::text[]) order by position"
)


class Ending(NamedTuple):
    """The last fact of its type in an order's stream: there is a delivery for each parcel."""

    order_id: str
    type: str
    position: int


async def endings(conn: AsyncConnection, after: int, types: Collection[str]) -> list[Ending]:
    cursor = await conn.execute(_ENDINGS, (after, list(types)))
    return [Ending(*row) for row in await cursor.fetchall()]


async def lost(conn: AsyncConnection, orders: Collection[str], until: str) -> int:
    """How many accepted orders the view does not show at rest."""
    cursor = await conn.execute(_VIEWED, (list(orders),))
    rows = await cursor.fetchall()
    resting = sum(_rests(status, fulfilment, until) for _, status, fulfilment in rows)
    return len(orders) - resting


async def twice(
    conn: AsyncConnection, after: int, orders: Collection[str], ledger: Iterable[Entry]
) -> int:
    """How much was done a second time for one wish, by the log and by the provider."""
    cursor = await conn.execute(_TWICE, (after, list(ONCE)))
    in_log = len(await cursor.fetchall())
    ours = set(orders)
    moves = Counter(
        (entry.order_id, entry.step, entry.subject)
        for entry in ledger
        if entry.order_id in ours and entry.outcome == "approved"
    )
    return in_log + sum(count > 1 for count in moves.values())


async def oversold(conn: AsyncConnection) -> int:
    """The units that were ever promised beyond what was on hand, over the whole log."""
    on_hand: Counter[str] = Counter()
    reserved: Counter[str] = Counter()
    worst: Counter[str] = Counter()
    async with conn.cursor() as cursor:
        names = [shape.type for shape in _STOCK]
        async for type, data in cursor.stream(_OF_STOCK, (names,)):
            match decode_event(type, data):
                case (
                    StockReceived(sku=sku, quantity=quantity)
                    | StockRestocked(sku=sku, quantity=quantity)
                ):
                    on_hand[sku] += quantity
                case StockAdjusted(sku=sku, delta=delta):
                    on_hand[sku] += delta
                case StockReserved(lines=lines):
                    for line in lines:
                        reserved[line.sku] += line.quantity
                        beyond = reserved[line.sku] - on_hand[line.sku]
                        worst[line.sku] = max(worst[line.sku], beyond)
                case ReservationReleased(lines=lines):
                    for line in lines:
                        reserved[line.sku] -= line.quantity
                case ReservationCommitted(lines=lines):
                    for line in lines:
                        reserved[line.sku] -= line.quantity
                        on_hand[line.sku] -= line.quantity
                case _:
                    pass
    return sum(worst.values())


async def reads(conn: AsyncConnection) -> int:
    """How many records the agents have taken from their topics so far."""
    cursor = await conn.execute("select coalesce(sum(next_offset), 0)::bigint from fence")
    row = await cursor.fetchone()
    return row[0] if row else 0


def _rests(status: str, fulfilment: str, until: str) -> bool:
    if status in AT_REST:
        return True
    return fulfilment == "delivered" if until == "delivered" else status == "confirmed"
