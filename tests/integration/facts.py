"""Facts for tests of the readers: written straight into the log, as the engine writes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.inventory import messages as inventory
from domain.message import Charge, Event, Line, LineQuantity, Money, Parcel, SkuQuantity
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.shipping import messages as shipping
from store import log
from store.chain import link
from store.codec import encode
from store.connect import AsyncConnection

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def life(order_id: str, *, sku: str = "mug", customer_id: str = "c-1") -> list[Event]:
    """An order of 3 mugs and a postage: placed, paid, shipped, delivered, one of them returned."""
    lines = (Line(1, sku, 3, eur(500), "Mug"),)
    parcel = f"{order_id}.1"
    three = (LineQuantity(1, sku, 3),)
    one = (LineQuantity(1, sku, 1),)
    at = START + timedelta(days=2)
    return [
        order.OrderPlaced(
            order_id, lines, eur(1790), customer_id=customer_id, contact="v1:sealed",
            charges=(Charge("postage", eur(290)),),
        ),
        inventory.StockReserved(order_id, (SkuQuantity(sku, 3),)),
        order.PaymentRequested(order_id, 1, eur(1790), "tok_approve"),
        payment.PaymentAuthorized(order_id, 1, eur(1790), "ref-1"),
        order.OrderConfirmed(order_id, eur(1790), (Parcel(parcel, three),)),
        notification.NotificationSent(f"{order_id}.placed", order_id, "confirmed", "email"),
        shipping.ShipmentCreated(order_id, parcel, three, "Simulated", "T1"),
        shipping.ShipmentHandedOver(order_id, parcel, "s1", at, "Leeds"),
        order.OrderShipped(order_id, parcel, three, eur(1790)),
        inventory.ReservationCommitted(order_id, (SkuQuantity(sku, 3),), parcel),
        payment.PaymentCaptured(order_id, parcel, eur(1790), "ref-2"),
        shipping.ShipmentMoved(order_id, parcel, "s2", at + timedelta(hours=3), "York"),
        shipping.ShipmentDelivered(order_id, parcel, "s3", at + timedelta(hours=9), "Hull"),
        order.OrderDelivered(order_id, parcel, complete=True),
        order.ReturnRequested(order_id, 1, one, "chipped"),
        order.ReturnApproved(order_id, 1, one),
        shipping.ReturnReceived(order_id, 1, one),
        order.ReturnSettled(order_id, 1, one, eur(500), f"{order_id}.r1"),
        payment.PaymentRefunded(order_id, f"{order_id}.r1", eur(500), "ref-3"),
        inventory.StockRestocked(sku, 1, order_id),
        order.OrderCompleted(order_id),
    ]  # fmt: skip


async def record(
    conn: AsyncConnection, events: Iterable[Event], at: datetime = START, *, notify: bool = True
) -> int:
    """Append the facts a minute apart; gives the position of the last."""
    new: list[log.NewEvent] = []
    events = list(events)
    known = await log.read_streams(conn, list({event.stream for event in events}))
    ends = {stream: (facts[-1].version, facts[-1].hash) for stream, facts in known.items()}
    for number, event in enumerate(events):
        version, previous = ends.get(event.stream, (0, b""))
        data = encode(event)
        time = at + timedelta(minutes=number)
        identity = (event.stream, version + 1, event.type, uuid4(), time, time, event.stream)
        rest = (uuid4(), "test", False)
        hashed = link(previous, *identity, *rest, data)
        new.append(log.NewEvent(*identity, *rest, data.decode(), hashed))
        ends[event.stream] = (version + 1, hashed)
    async with conn.transaction():
        await conn.execute(log.APPEND, log.columns(new))
        if notify:
            await conn.execute("notify quire_log")
    return await log.head(conn)
