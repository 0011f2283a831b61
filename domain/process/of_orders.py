"""What the facts of an order ask of stock, payment, carrier and mailer."""

from collections.abc import Iterable

from domain.inventory import messages as inventory
from domain.message import Line, LineQuantity, Money, SkuQuantity
from domain.notification import messages as notification
from domain.order import messages as order
from domain.order.state import out_of
from domain.payment import messages as payment
from domain.process.reaction import Reaction
from domain.shipping import messages as shipping


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
    | order.OrderRefunded
    | order.PaymentActionRequired
    | order.OrderWrittenOff
)


def notify(event: Told, template: str, cause: str, **facts: str) -> Reaction:
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


def _amount(money: Money) -> str:
    return f"{money.amount_minor} {money.currency}"


def order_placed(event: order.OrderPlaced) -> list[Reaction]:
    wanted = _by_sku(event.lines)
    return [Reaction(inventory.ReserveStock(event.order_id, wanted, event.shortage))]


def payment_requested(event: order.PaymentRequested) -> list[Reaction]:
    ask = payment.AuthorizePayment(
        event.order_id, event.attempt, event.amount, event.payment_method, event.at_checkout
    )
    if not event.replaces:
        return [Reaction(ask)]
    return [Reaction(payment.VoidAuthorization(event.order_id, "replaced")), Reaction(ask)]


def not_needed(event: order.AuthorizationNotNeeded) -> list[Reaction]:
    return [Reaction(payment.VoidAuthorization(event.order_id, "not_needed"))]


def payment_retried(event: order.OrderPaymentRetried) -> list[Reaction]:
    order_id, subject, amount = event.order_id, event.subject, event.amount
    if event.step == "refund":
        return [Reaction(payment.RefundPayment(order_id, subject, amount, event.again))]
    return [Reaction(payment.CapturePayment(order_id, subject, amount, event.last, event.again))]


def action_required(event: order.PaymentActionRequired) -> list[Reaction]:
    """A mail for each attempt of which the customer can know nothing else."""
    if not event.off_session:
        return []
    facts = {"url": event.url, "reason": "owed" if event.owed else "authorization_expired"}
    if event.amount is not None:
        facts["amount"] = _amount(event.amount)
    return [notify(event, "payment_action_required", str(event.attempt), **facts)]


def order_confirmed(event: order.OrderConfirmed) -> list[Reaction]:
    parcels = [
        Reaction(
            shipping.CreateShipment(
                event.order_id,
                one.parcel_id,
                one.lines,
                event.contact,
                event.customer_id,
                one.warehouse,
            ),
            one.parcel_id,
        )
        for one in event.parcels
    ]
    told = notify(event, "order_confirmed", "1", amount=_amount(event.authorized))
    return [*parcels, told]


def cancellation_requested(event: order.CancellationRequested) -> list[Reaction]:
    return [
        Reaction(
            shipping.CancelShipment(event.order_id, one.parcel_id, one.lines, event.cancellation),
            one.parcel_id,
        )
        for one in event.parcels
    ]


def lines_cancelled(event: order.OrderLinesCancelled) -> list[Reaction]:
    lines = () if event.whole else _by_sku(event.lines)
    release = inventory.ReleaseReservation(event.order_id, event.cause, lines, event.reference)
    reactions = [Reaction(release)]
    if event.void:
        reactions.append(Reaction(payment.VoidAuthorization(event.order_id, event.cause)))
    if event.refund.amount_minor:
        refund = payment.RefundPayment(event.order_id, event.reference, event.refund)
        reactions.append(Reaction(refund))
    return reactions


def order_shipped(event: order.OrderShipped) -> list[Reaction]:
    order_id, parcel_id = event.order_id, event.parcel_id
    left = inventory.CommitReservation(order_id, _by_sku(event.lines), parcel_id)
    amount = _amount(event.amount)
    told = notify(event, "order_shipped", parcel_id, parcel=parcel_id, amount=amount)
    if not event.amount.amount_minor:
        return [Reaction(left), told]
    capture = payment.CapturePayment(order_id, parcel_id, event.amount, event.last)
    return [Reaction(capture), Reaction(left), told]


def refunded(event: order.OrderRefunded) -> list[Reaction]:
    """Money is back where it came from; what for, says the name of the refund."""
    reason, _, _ = event.refund_id.partition("-")
    amount = _amount(event.amount)
    return [notify(event, "order_refunded", event.refund_id, amount=amount, reason=reason)]


def written_off(event: order.OrderWrittenOff) -> list[Reaction]:
    """Who waits for a refund hears that it comes another way; of a debt that is let go the person
    who did that tells as much as they like."""
    if not event.refunds.amount_minor:
        return []
    amount = _amount(event.refunds)
    return [notify(event, "order_refunded_otherwise", str(event.number), amount=amount)]


def parcel_lost(event: order.OrderParcelLost) -> list[Reaction]:
    back = event.lines if event.cause == "returned_to_sender" else ()
    return [
        *_refund(event.order_id, event.refund_id, event),
        *_restock(event.order_id, back, event.parcel_id),
    ]


def return_settled(event: order.ReturnSettled) -> list[Reaction]:
    sound = out_of(event.lines, event.unsellable)
    return [
        *_refund(event.order_id, event.refund_id, event),
        *_restock(event.order_id, sound, event.refund_id),
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
