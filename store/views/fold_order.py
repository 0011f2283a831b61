"""How the facts of an order's own stream change its document."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from domain.message import LineQuantity
from domain.order import messages as order
from store.log import Stamped
from store.views.document import (
    LineView,
    OrderDocument,
    ParcelView,
    Reason,
    ReturnView,
    Totals,
)
from store.views.fold_debts import waived
from store.views.fulfilment import mark_parcel, out_of, with_fulfilment


def placed(event: order.OrderPlaced, recorded: Stamped) -> OrderDocument:
    """The first document of an order."""
    at, total = recorded.occurred_at, event.total
    return OrderDocument(
        order_id=event.order_id,
        status="pending",
        fulfilment="none",
        payment="created",
        customer_id=event.customer_id,
        totals=Totals(
            total.currency,
            total.amount_minor,
            charges=sum(charge.amount.amount_minor for charge in event.charges),
        ),
        lines=tuple(map(LineView.of, event.lines)),
        placed_at=at,
        updated_at=at,
        position=recorded.position,
        imported=recorded.imported,
    )


def rejected(document: OrderDocument, event: order.OrderRejected) -> OrderDocument:
    return replace(document, status="rejected", reason=Reason(event.reason, event.shortages))


def payment_requested(document: OrderDocument, _: order.PaymentRequested) -> OrderDocument:
    """A second authorisation of a confirmed order leaves it confirmed."""
    status = "confirmed" if document.parcels else "awaiting_payment"
    return replace(document, status=status, payment="processing", reason=None)


def action_required(document: OrderDocument, event: order.PaymentActionRequired) -> OrderDocument:
    reason = Reason("authentication_required", url=event.url)
    return replace(document, payment="requires_action", reason=reason)


def attempt_failed(document: OrderDocument, event: order.PaymentAttemptFailed) -> OrderDocument:
    """After a final decline the order is on its way out, so that nobody waits at it."""
    status = document.status if event.retryable or document.parcels else "cancelling"
    return replace(document, status=status, payment="failed", reason=Reason(event.code))


def payment_window_ended(document: OrderDocument, _: order.PaymentWindowEnded) -> OrderDocument:
    return replace(document, payment_window_ended=True)


def confirmed(document: OrderDocument, event: order.OrderConfirmed) -> OrderDocument:
    parcels = tuple(
        ParcelView(p.parcel_id, "planned", p.lines, warehouse=p.warehouse) for p in event.parcels
    )
    return with_fulfilment(replace(document, status="confirmed", reason=None, parcels=parcels))


def held(document: OrderDocument, event: order.OrderHeld) -> OrderDocument:
    return replace(document, status="on_hold", reason=Reason(event.reason, event.shortages))


def hold_released(document: OrderDocument, _: order.HoldReleased) -> OrderDocument:
    if document.parcels:
        status = "confirmed"
    elif document.reason and document.reason.code == "backorder":
        status = "awaiting_stock"
    else:
        status = "pending" if document.payment == "created" else "awaiting_payment"
    return replace(document, status=status, reason=None)


def cancellation_requested(
    document: OrderDocument, event: order.CancellationRequested
) -> OrderDocument:
    asked = tuple(parcel.parcel_id for parcel in event.parcels)
    status = "cancelling" if event.whole else document.status
    cancelling = {**document.cancelling, str(event.cancellation): asked}
    return replace(document, status=status, cancelling=cancelling)


def _answered(document: OrderDocument, number: int, parcel_id: str) -> dict[str, tuple[str, ...]]:
    """The open cancellations once a parcel (or, with none, the provider) has answered."""
    open_ = dict(document.cancelling)
    left = tuple(each for each in open_.pop(str(number), ()) if each != parcel_id)
    if parcel_id and left:
        open_[str(number)] = left
    return open_


def cancellation_refused(
    document: OrderDocument, event: order.CancellationRefused
) -> OrderDocument:
    status = "confirmed" if document.status == "cancelling" else document.status
    cancelling = _answered(document, event.cancellation, event.parcel_id)
    reason = Reason(event.reason)
    return replace(document, status=status, reason=reason, cancelling=cancelling)


def lines_cancelled(document: OrderDocument, event: order.OrderLinesCancelled) -> OrderDocument:
    by_line = _units(event.lines)
    lines = tuple(
        replace(line, cancelled=line.cancelled + by_line.get(line.line, 0))
        for line in document.lines
    )
    totals = document.totals
    totals = replace(totals, cancelled=totals.cancelled + event.amount.amount_minor)
    status = "cancelling" if event.whole else document.status
    parcels = tuple(
        out_of(parcel, by_line) if parcel.parcel_id == event.parcel_id else parcel
        for parcel in document.parcels
    )
    return with_fulfilment(
        replace(
            document,
            lines=lines,
            totals=totals,
            status=status,
            parcels=parcels,
            cancelling=_answered(document, event.cancellation, event.parcel_id),
        )
    )


def cancelled(document: OrderDocument, event: order.OrderCancelled) -> OrderDocument:
    reason = Reason(event.reason) if event.reason else document.reason
    return replace(document, status="cancelled", reason=reason)


def expired(document: OrderDocument, event: order.OrderExpired) -> OrderDocument:
    return replace(document, status="expired", reason=Reason(event.cause))


def shipped(document: OrderDocument, event: order.OrderShipped) -> OrderDocument:
    return mark_parcel(document, event.parcel_id, "handed_over", lines=event.lines)


def delivered(document: OrderDocument, event: order.OrderDelivered) -> OrderDocument:
    return mark_parcel(document, event.parcel_id, "delivered")


def parcel_lost(document: OrderDocument, event: order.OrderParcelLost) -> OrderDocument:
    owed = tuple(one for one in document.owed if one.subject != event.parcel_id)
    document = replace(document, owed=owed)
    return mark_parcel(document, event.parcel_id, event.cause, lines=event.lines)


def completed(document: OrderDocument, _: order.OrderCompleted) -> OrderDocument:
    return replace(document, status="completed")


def return_requested(document: OrderDocument, event: order.ReturnRequested) -> OrderDocument:
    new = ReturnView(event.return_no, "requested", event.lines, event.reason)
    return replace(document, returns=(*document.returns, new))


def return_approved(document: OrderDocument, event: order.ReturnApproved) -> OrderDocument:
    return change_return(document, event.return_no, status="approved", lines=event.lines)


def return_refused(document: OrderDocument, event: order.ReturnRefused) -> OrderDocument:
    reason = {"reason": event.reason} if event.reason else {}
    return change_return(document, event.return_no, status="refused", **reason)


def return_settled(document: OrderDocument, event: order.ReturnSettled) -> OrderDocument:
    by_line = _units(event.lines)
    worth = sum(line.unit_price.amount_minor * by_line.get(line.line, 0) for line in document.lines)
    lines = tuple(
        replace(line, returned=line.returned + by_line.get(line.line, 0)) for line in document.lines
    )
    totals = replace(document.totals, returned=document.totals.returned + worth)
    owed = waived(document.owed, event.waived.amount_minor if event.waived else 0)
    document = change_return(
        replace(document, lines=lines, totals=totals, owed=owed),
        event.return_no,
        status="settled",
        lines=event.lines,
        refund=event.refund.amount_minor,
    )
    return with_fulfilment(document)


def change_return(document: OrderDocument, number: int, **changes: object) -> OrderDocument:
    """The document with one of its returns changed; a return that it does not know is new."""
    if all(known.return_no != number for known in document.returns):
        unknown = ReturnView(number, "requested", ())
        document = replace(document, returns=(*document.returns, unknown))
    returns = tuple(
        replace(known, **changes) if known.return_no == number else known
        for known in document.returns
    )
    return replace(document, returns=returns)


def _units(lines: Iterable[LineQuantity]) -> Mapping[int, int]:
    units: dict[int, int] = {}
    for line in lines:
        units[line.line] = units.get(line.line, 0) + line.quantity
    return units
