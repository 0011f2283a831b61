"""The whole process of an order: which fact causes which wishes. Pure and total."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from domain.inventory import messages as inventory
from domain.message import Command, Event, Line, LineQuantity, Money, SkuQuantity
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.shipping import messages as shipping


class Reaction(NamedTuple):
    """`part` tells apart several commands of one kind that one fact causes."""

    command: Command
    part: str = ""


def react(event: Event) -> list[Reaction]:
    """What follows from `event`; a fact that the catalog does not know raises KeyError."""
    follow = REACTIONS[type(event)]
    return follow(event) if follow else []


def _by_sku(lines: Iterable[Line | LineQuantity]) -> tuple[SkuQuantity, ...]:
    total: dict[str, int] = {}
    for line in lines:
        total[line.sku] = total.get(line.sku, 0) + line.quantity
    return tuple(SkuQuantity(sku, quantity) for sku, quantity in total.items())


Told = (
    order.OrderConfirmed
    | order.OrderShipped
    | order.OrderDelivered
    | order.OrderRejected
    | order.OrderCancelled
)


def _notify(event: Told, template: str, cause: str, **facts: str) -> Reaction:
    return Reaction(
        notification.Notify(
            f"{event.order_id}.{template}.email.{cause}",
            event.order_id,
            template,
            "email",
            event.customer_id,
            event.contact,
            event.language,
            facts,
        )
    )


def _also_wanted(event: notification.NotificationAlsoWanted) -> list[Reaction]:
    wish = notification.Notify(
        event.also,
        event.order_id,
        event.template,
        event.channel,
        event.customer_id,
        event.contact,
        event.language,
        event.facts,
    )
    return [Reaction(wish, event.channel)]


def _amount(money: Money) -> str:
    return f"{money.amount_minor} {money.currency}"


def _order_placed(event: order.OrderPlaced) -> list[Reaction]:
    wanted = _by_sku(event.lines)
    return [Reaction(inventory.ReserveStock(event.order_id, wanted, event.shortage))]


def _payment_requested(event: order.PaymentRequested) -> list[Reaction]:
    return [
        Reaction(
            payment.AuthorizePayment(
                event.order_id, event.attempt, event.amount, event.payment_method
            )
        )
    ]


def _order_confirmed(event: order.OrderConfirmed) -> list[Reaction]:
    parcels = [
        Reaction(
            shipping.CreateShipment(
                event.order_id, one.parcel_id, one.lines, event.contact, event.customer_id
            ),
            one.parcel_id,
        )
        for one in event.parcels
    ]
    told = _notify(event, "order_confirmed", "1", amount=_amount(event.authorized))
    return [*parcels, told]


def _cancellation_requested(event: order.CancellationRequested) -> list[Reaction]:
    return [
        Reaction(
            shipping.CancelShipment(event.order_id, one.parcel_id, one.lines, event.cancellation),
            one.parcel_id,
        )
        for one in event.parcels
    ]


def _lines_cancelled(event: order.OrderLinesCancelled) -> list[Reaction]:
    lines = () if event.whole else _by_sku(event.lines)
    release = inventory.ReleaseReservation(event.order_id, event.cause, lines, event.reference)
    reactions = [Reaction(release)]
    if event.void:
        reactions.append(Reaction(payment.VoidAuthorization(event.order_id, event.cause)))
    if event.refund.amount_minor:
        refund = payment.RefundPayment(event.order_id, event.reference, event.refund)
        reactions.append(Reaction(refund))
    return reactions


def _order_shipped(event: order.OrderShipped) -> list[Reaction]:
    order_id, parcel_id = event.order_id, event.parcel_id
    left = inventory.CommitReservation(order_id, _by_sku(event.lines), parcel_id)
    amount = _amount(event.amount)
    told = _notify(event, "order_shipped", parcel_id, parcel=parcel_id, amount=amount)
    if not event.amount.amount_minor:
        return [Reaction(left), told]
    capture = payment.CapturePayment(order_id, parcel_id, event.amount, event.last)
    return [Reaction(capture), Reaction(left), told]


def _parcel_lost(event: order.OrderParcelLost) -> list[Reaction]:
    back = event.lines if event.cause == "returned_to_sender" else ()
    return [
        *_refund(event.order_id, event.refund_id, event),
        *_restock(event.order_id, back, event.parcel_id),
    ]


def _return_settled(event: order.ReturnSettled) -> list[Reaction]:
    return [
        *_refund(event.order_id, event.refund_id, event),
        *_restock(event.order_id, event.lines, event.refund_id),
    ]


def _refund(
    order_id: str, refund_id: str, event: order.OrderParcelLost | order.ReturnSettled
) -> list[Reaction]:
    if not event.refund.amount_minor:
        return []
    return [Reaction(payment.RefundPayment(order_id, refund_id, event.refund))]


def _restock(order_id: str, lines: Iterable[LineQuantity], reference: str) -> list[Reaction]:
    return [
        Reaction(inventory.RestockReturn(one.sku, one.quantity, order_id, reference), one.sku)
        for one in _by_sku(lines)
    ]


def _stock_available(event: inventory.StockAvailable) -> list[Reaction]:
    return [
        Reaction(inventory.ReserveStock(one.order_id, one.lines, "backorder"), one.order_id)
        for one in event.orders
    ]


def _released(event: inventory.ReservationReleased) -> list[Reaction]:
    told = order.RecordReservationReleased(event.order_id, event.cause, event.reference)
    return [Reaction(told)]


def _authorized(event: payment.PaymentAuthorized) -> list[Reaction]:
    return [Reaction(order.RecordPaymentAuthorized(event.order_id, event.attempt, event.amount))]


def _action_required(event: payment.AuthenticationRequired) -> list[Reaction]:
    told = order.RecordAuthenticationRequired(event.order_id, event.attempt, event.url)
    return [Reaction(told)]


def _declined(event: payment.PaymentDeclined) -> list[Reaction]:
    told = order.RecordPaymentDeclined(
        event.order_id, event.attempt, event.code, event.retryable, event.unsure
    )
    return [Reaction(told)]


def _captured(event: payment.PaymentCaptured) -> list[Reaction]:
    return [Reaction(order.RecordPaymentCaptured(event.order_id, event.parcel_id, event.amount))]


def _capture_failed(event: payment.CaptureFailed) -> list[Reaction]:
    return [Reaction(order.RecordCaptureFailed(event.order_id, event.parcel_id, event.code))]


def _refunded(event: payment.PaymentRefunded) -> list[Reaction]:
    return [Reaction(order.RecordPaymentRefunded(event.order_id, event.refund_id, event.amount))]


def _refund_failed(event: payment.RefundFailed) -> list[Reaction]:
    return [Reaction(order.RecordRefundFailed(event.order_id, event.refund_id, event.code))]


def _shipment_cancelled(event: shipping.ShipmentCancelled) -> list[Reaction]:
    told = order.RecordShipmentCancelled(event.order_id, event.parcel_id, event.cancellation)
    return [Reaction(told)]


def _shipment_kept(event: shipping.ShipmentKept) -> list[Reaction]:
    told = order.RecordShipmentKept(event.order_id, event.parcel_id, event.cancellation)
    return [Reaction(told)]


def _return_received(event: shipping.ReturnReceived) -> list[Reaction]:
    return [Reaction(order.RecordReturnReceived(event.order_id, event.return_no, event.lines))]


Follow = Callable[[Any], list[Reaction]]

# None: nothing follows. Each fact of the catalog stands here, so that a new one is thought about.
REACTIONS: Mapping[type[Event], Follow | None] = {
    order.OrderPlaced: _order_placed,
    inventory.StockReserved: lambda e: [Reaction(order.RecordStockReserved(e.order_id))],
    order.PaymentRequested: _payment_requested,
    payment.PaymentAuthorized: _authorized,
    order.OrderConfirmed: _order_confirmed,
    shipping.ShipmentCreated: None,
    notification.NotificationSent: None,
    shipping.ShipmentHandedOver: lambda e: [
        Reaction(order.RecordHandedOver(e.order_id, e.parcel_id))
    ],
    order.OrderShipped: _order_shipped,
    payment.PaymentCaptured: _captured,
    inventory.ReservationCommitted: None,
    order.OrderPaid: None,
    shipping.ShipmentMoved: None,
    shipping.ShipmentDelivered: lambda e: [
        Reaction(order.RecordDelivered(e.order_id, e.parcel_id))
    ],
    order.OrderDelivered: lambda e: [
        _notify(e, "order_delivered", e.parcel_id, parcel=e.parcel_id)
    ],
    order.OrderCompleted: None,
    # stock
    inventory.StockRanShort: lambda e: [Reaction(order.RecordStockShort(e.order_id, e.shortages))],
    inventory.StockBackordered: lambda e: [
        Reaction(order.RecordBackordered(e.order_id, e.shortages))
    ],
    inventory.ReservationReleased: _released,
    inventory.StockAvailable: _stock_available,
    inventory.StockReceived: None,
    inventory.StockAdjusted: None,
    inventory.StockRestocked: None,
    # payment
    payment.AuthenticationRequired: _action_required,
    payment.PaymentDeclined: _declined,
    payment.PaymentDeferred: None,
    payment.PaymentOutcomeUnknown: None,
    payment.CaptureFailed: _capture_failed,
    payment.AuthorizationVoided: lambda e: [Reaction(order.RecordAuthorizationVoided(e.order_id))],
    payment.PaymentRefunded: _refunded,
    payment.RefundFailed: _refund_failed,
    payment.AuthorizationExpired: lambda e: [
        Reaction(order.RecordAuthorizationExpired(e.order_id))
    ],
    # parcels
    shipping.ShipmentDeferred: None,
    shipping.DeliveryAttemptFailed: None,
    shipping.ShipmentLost: lambda e: [
        Reaction(order.RecordParcelLost(e.order_id, e.parcel_id, "lost"))
    ],
    shipping.ShipmentReturned: lambda e: [
        Reaction(order.RecordParcelLost(e.order_id, e.parcel_id, "returned_to_sender"))
    ],
    shipping.ShipmentCancelled: _shipment_cancelled,
    shipping.ShipmentKept: _shipment_kept,
    shipping.ReturnReceived: _return_received,
    # the order's own turns
    order.OrderRejected: lambda e: [_notify(e, "order_rejected", "1", reason=e.reason)],
    order.PaymentActionRequired: None,
    order.PaymentAttemptFailed: None,
    order.PaymentWindowEnded: None,
    order.OrderHeld: None,
    order.HoldReleased: None,
    order.CancellationRequested: _cancellation_requested,
    order.CancellationRefused: None,
    order.OrderLinesCancelled: _lines_cancelled,
    order.OrderStockReleased: None,
    order.OrderPaymentVoided: None,
    order.OrderCancelled: lambda e: [_notify(e, "order_cancelled", "1")],
    order.OrderExpired: None,
    order.OrderPaymentFailed: None,
    order.OrderRefunded: None,
    order.OrderParcelLost: _parcel_lost,
    order.ReturnRequested: None,
    order.ReturnApproved: None,
    order.ReturnRefused: None,
    order.ReturnSettled: _return_settled,
    order.ReturnWindowEnded: None,
    # notification
    notification.NotificationDeferred: None,
    notification.NotificationAlsoWanted: _also_wanted,
    notification.NotificationFailed: None,
    notification.NotificationSuppressed: None,
    notification.PreferencesSet: None,
}
