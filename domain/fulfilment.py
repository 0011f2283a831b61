"""The whole process of an order: which fact causes which wishes. Pure and total."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.inventory import messages as inventory
from domain.message import Event
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.process import of_orders as ours
from domain.process import of_others as theirs
from domain.process.reaction import Reaction
from domain.shipping import messages as shipping


def react(event: Event) -> list[Reaction]:
    """What follows from `event`; a fact that the catalog does not know raises KeyError."""
    follow = REACTIONS[type(event)]
    return follow(event) if follow else []


Follow = Callable[[Any], list[Reaction]]

# None: nothing follows. Each fact of the catalog stands here, so that a new one is thought about.
REACTIONS: Mapping[type[Event], Follow | None] = {
    order.OrderPlaced: ours.order_placed,
    inventory.StockReserved: lambda e: [Reaction(order.RecordStockReserved(e.order_id))],
    order.PaymentRequested: ours.payment_requested,
    payment.PaymentAuthorized: theirs.authorized,
    order.OrderConfirmed: ours.order_confirmed,
    shipping.ShipmentCreated: None,
    notification.NotificationSent: None,
    shipping.ShipmentHandedOver: lambda e: [
        Reaction(order.RecordHandedOver(e.order_id, e.parcel_id))
    ],
    order.OrderShipped: ours.order_shipped,
    payment.PaymentCaptured: theirs.captured,
    inventory.ReservationCommitted: None,
    order.OrderPaid: None,
    shipping.ShipmentMoved: None,
    shipping.ShipmentDelivered: lambda e: [
        Reaction(order.RecordDelivered(e.order_id, e.parcel_id))
    ],
    order.OrderDelivered: lambda e: [
        ours.notify(e, "order_delivered", e.parcel_id, parcel=e.parcel_id)
    ],
    order.OrderCompleted: None,
    # stock
    inventory.StockRanShort: lambda e: [Reaction(order.RecordStockShort(e.order_id, e.shortages))],
    inventory.StockBackordered: lambda e: [
        Reaction(order.RecordBackordered(e.order_id, e.shortages))
    ],
    inventory.ReservationReleased: theirs.released,
    inventory.StockAvailable: theirs.stock_available,
    inventory.StockReceived: None,
    inventory.StockAdjusted: None,
    inventory.StockRestocked: None,
    # payment
    payment.AuthenticationRequired: theirs.action_required,
    payment.PaymentDeclined: theirs.declined,
    payment.PaymentDeferred: None,
    payment.PaymentOutcomeUnknown: None,
    payment.CaptureFailed: theirs.capture_failed,
    payment.AuthorizationVoided: theirs.voided,
    payment.PaymentRefunded: theirs.refunded,
    payment.RefundFailed: theirs.refund_failed,
    payment.AuthorizationExpired: theirs.expired,
    payment.AuthorizationCameLate: None,
    # parcels
    shipping.ShipmentDeferred: None,
    shipping.ShipmentRefused: None,
    shipping.DeliveryAttemptFailed: None,
    shipping.ShipmentLost: lambda e: [
        Reaction(order.RecordParcelLost(e.order_id, e.parcel_id, "lost"))
    ],
    shipping.ShipmentReturned: lambda e: [
        Reaction(order.RecordParcelLost(e.order_id, e.parcel_id, "returned_to_sender"))
    ],
    shipping.ShipmentCancelled: theirs.shipment_cancelled,
    shipping.ShipmentKept: theirs.shipment_kept,
    shipping.ReturnReceived: theirs.return_received,
    # the order's own turns
    order.OrderRejected: lambda e: [ours.notify(e, "order_rejected", "1", reason=e.reason)],
    order.PaymentActionRequired: ours.action_required,
    order.PaymentAttemptFailed: None,
    order.PaymentWindowEnded: None,
    order.OrderHeld: None,
    order.HoldReleased: None,
    order.CancellationRequested: ours.cancellation_requested,
    order.CancellationRefused: None,
    order.OrderLinesCancelled: ours.lines_cancelled,
    order.OrderStockReleased: None,
    order.OrderPaymentVoided: None,
    order.OrderCancelled: lambda e: [ours.notify(e, "order_cancelled", "1")],
    order.OrderExpired: None,
    order.OrderPaymentFailed: None,
    order.OrderAuthorizedAnew: None,
    order.AuthorizationNotNeeded: ours.not_needed,
    order.OrderPaymentRetried: ours.payment_retried,
    order.OrderWrittenOff: ours.written_off,
    order.OrderRefunded: ours.refunded,
    order.OrderParcelLost: ours.parcel_lost,
    order.ReturnRequested: None,
    order.ReturnApproved: None,
    order.ReturnRefused: None,
    order.ReturnSettled: ours.return_settled,
    order.ReturnWindowEnded: None,
    # notification
    notification.NotificationDeferred: None,
    notification.NotificationAlsoWanted: theirs.also_wanted,
    notification.NotificationFailed: None,
    notification.NotificationSuppressed: None,
    notification.PreferencesSet: None,
}
