"""What the order is told of the facts of the other contexts, and what these ask of themselves."""

from domain.inventory import messages as inventory
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.process.reaction import Reaction
from domain.shipping import messages as shipping


def stock_available(event: inventory.StockAvailable) -> list[Reaction]:
    return [
        Reaction(inventory.ReserveStock(one.order_id, one.lines, "backorder"), one.order_id)
        for one in event.orders
    ]


def released(event: inventory.ReservationReleased) -> list[Reaction]:
    told = order.RecordReservationReleased(event.order_id, event.cause, event.reference)
    return [Reaction(told)]


def authorized(event: payment.PaymentAuthorized) -> list[Reaction]:
    return [Reaction(order.RecordPaymentAuthorized(event.order_id, event.attempt, event.amount))]


def action_required(event: payment.AuthenticationRequired) -> list[Reaction]:
    told = order.RecordAuthenticationRequired(
        event.order_id, event.attempt, event.url, event.amount
    )
    return [Reaction(told)]


def declined(event: payment.PaymentDeclined) -> list[Reaction]:
    told = order.RecordPaymentDeclined(
        event.order_id, event.attempt, event.code, event.retryable, event.unsure
    )
    return [Reaction(told)]


def voided(event: payment.AuthorizationVoided) -> list[Reaction]:
    """Of a hold that came late the order was told when it gave that up."""
    return [] if event.reference else [Reaction(order.RecordAuthorizationVoided(event.order_id))]


def expired(event: payment.AuthorizationExpired) -> list[Reaction]:
    if event.reference:
        return []
    return [Reaction(order.RecordAuthorizationExpired(event.order_id, event.unsure))]


def captured(event: payment.PaymentCaptured) -> list[Reaction]:
    return [Reaction(order.RecordPaymentCaptured(event.order_id, event.parcel_id, event.amount))]


def capture_failed(event: payment.CaptureFailed) -> list[Reaction]:
    return [Reaction(order.RecordCaptureFailed(event.order_id, event.parcel_id, event.code))]


def refunded(event: payment.PaymentRefunded) -> list[Reaction]:
    return [Reaction(order.RecordPaymentRefunded(event.order_id, event.refund_id, event.amount))]


def refund_failed(event: payment.RefundFailed) -> list[Reaction]:
    return [Reaction(order.RecordRefundFailed(event.order_id, event.refund_id, event.code))]


def shipment_cancelled(event: shipping.ShipmentCancelled) -> list[Reaction]:
    told = order.RecordShipmentCancelled(event.order_id, event.parcel_id, event.cancellation)
    return [Reaction(told)]


def shipment_kept(event: shipping.ShipmentKept) -> list[Reaction]:
    told = order.RecordShipmentKept(event.order_id, event.parcel_id, event.cancellation)
    return [Reaction(told)]


def return_received(event: shipping.ReturnReceived) -> list[Reaction]:
    told = order.RecordReturnReceived(
        event.order_id, event.return_no, event.lines, event.unsellable
    )
    return [Reaction(told)]


def also_wanted(event: notification.NotificationAlsoWanted) -> list[Reaction]:
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
