"""How what is owed, and what becomes of it, changes the document of an order."""

from msgspec.structs import replace

from domain.order import messages as order
from store.views.document import OrderDocument, Owed, Reason


def payment_failed(document: OrderDocument, event: order.OrderPaymentFailed) -> OrderDocument:
    payment = document.payment if document.totals.captured else "failed"
    amount = event.amount.amount_minor if event.amount else 0
    owed = Owed(event.step, event.subject, amount, event.code)
    return replace(
        document,
        payment=payment,
        reason=Reason(f"{event.step}_failed: {event.code}"),
        owed=(*document.owed, owed),
    )


def payment_retried(document: OrderDocument, event: order.OrderPaymentRetried) -> OrderDocument:
    payment = document.payment
    if event.step == "capture" and payment == "failed":
        payment = "authorized"
    owed = tuple(one for one in document.owed if one.subject != event.subject)
    return replace(document, payment=payment, reason=None, owed=owed)


def authorized_anew(document: OrderDocument, _: order.OrderAuthorizedAnew) -> OrderDocument:
    return document if document.totals.captured else replace(document, payment="authorized")


def written_off(document: OrderDocument, event: order.OrderWrittenOff) -> OrderDocument:
    let_go = document.totals.written_off + event.amount.amount_minor
    totals = replace(document.totals, written_off=let_go)
    reason = Reason(event.reason) if event.reason else None
    return replace(document, totals=totals, reason=reason, owed=())


def return_window_ended(document: OrderDocument, event: order.ReturnWindowEnded) -> OrderDocument:
    reason = Reason(event.reason) if event.reason else document.reason
    return replace(document, return_window_ended=True, reason=reason)


def waived(owed: tuple[Owed, ...], amount: int) -> tuple[Owed, ...]:
    """What is still owed when the customer need not pay `amount` of it, the oldest first."""
    left: list[Owed] = []
    for one in owed:
        taken = min(one.amount, amount) if one.step == "capture" else 0
        amount -= taken
        if one.amount > taken or not taken:
            left.append(replace(one, amount=one.amount - taken))
    return tuple(left)
