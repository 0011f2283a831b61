"""Asking for the money, and what the provider answers.

An authorisation that lapses before hand-over is asked for anew at once, with the card that was
asked last; when that fails, the parcels are stopped and what has not left is cancelled. A parcel
that left all the same is charged once the money is held anew; if it never is, its share is owed,
the order stays open after its return window, and a person settles it (`settling.py`).
"""

from typing import Literal

from msgspec.structs import replace

from domain.errors import Refused
from domain.order import messages as m
from domain.order.cancelling import stop_parcels
from domain.order.parcels import parcels_of
from domain.order.settling import captures
from domain.order.state import State, named

LAPSED = "authorization_expired"


def request_payment(state: State, method: str) -> list[m.OrderEvent]:
    """The next attempt; an order that costs nothing needs none."""
    due = state.due - state.asked
    if due <= 0:
        return [confirmation(state, 0)] if state.base != "confirmed" else []
    order_id = state.order.order_id
    return [m.PaymentRequested(order_id, state.attempt + 1, state.money(due), method)]


def confirmation(state: State, authorized: int) -> m.OrderConfirmed:
    order = state.order
    return m.OrderConfirmed(
        order.order_id,
        state.money(authorized),
        parcels_of(order.order_id, order.lines, state.remaining(), order.packing),
        order.customer_id,
        order.contact,
        order.language,
    )


def final_failure(
    state: State, cause: Literal["cancel", "expiry", "payment"], reason: str, *, void: bool = False
) -> m.OrderLinesCancelled:
    """All that is left goes back: nobody will pay for it, or nobody wants it."""
    waiting = [number for number, one in state.cancelling.items() if not one.parcels]
    return m.OrderLinesCancelled(
        state.order.order_id,
        waiting[0] if waiting else state.cancellations + 1,
        named(state.order.lines, state.remaining()),
        state.money(state.due),
        state.money(0),
        void=void,
        whole=True,
        cause=cause,
        reason=reason,
    )


def pay_order(command: m.PayOrder, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if state.closed or state.ending:
        raise Refused("order_closed", status=state.base)
    if not command.payment_method:
        raise Refused("payment_method_missing")
    declined = state.base == "awaiting_payment" and state.attempt_status == "declined"
    if state.cancelling or not declined:
        raise Refused("not_awaiting_payment", status=state.base)
    if state.hold:
        raise Refused("on_hold", hold=state.hold)
    asked = request_payment(state, command.payment_method)
    return [
        replace(one, at_checkout=True) if isinstance(one, m.PaymentRequested) else one
        for one in asked
    ]


def _awaits(state: State, attempt: int) -> bool:
    """Only the answer to the attempt that is under way says anything new."""
    under_way = state.attempt_status in ("in_flight", "action")
    return under_way and attempt == state.attempt and not state.ending


def _cancel_reason(state: State) -> str | None:
    """Why a cancellation waits for the provider's answer, if one does."""
    for one in state.cancelling.values():
        if not one.parcels:
            return one.reason
    return None


def record_payment_authorized(
    command: m.RecordPaymentAuthorized, state: State
) -> list[m.OrderEvent]:
    if not _awaits(state, command.attempt):
        return []
    if state.base == "confirmed":
        return _held_anew(command, state)
    reason = _cancel_reason(state)
    if reason is not None:
        return [final_failure(state, "cancel", reason, void=True)]
    if state.hold:
        return [m.OrderHeld(command.order_id, state.hold, authorized=command.amount)]
    return [confirmation(state, command.amount.amount_minor)]


def _held_anew(command: m.RecordPaymentAuthorized, state: State) -> list[m.OrderEvent]:
    """Parcels go on, and what left meanwhile is charged."""
    order_id, attempt = command.order_id, command.attempt
    released: list[m.OrderEvent] = []
    if state.authorization_expired:
        released = [m.HoldReleased(order_id, LAPSED)]
    anew = m.OrderAuthorizedAnew(order_id, attempt, command.amount)
    return [*released, anew, *captures(state)]


def record_authentication_required(
    command: m.RecordAuthenticationRequired, state: State
) -> list[m.OrderEvent]:
    if not _awaits(state, command.attempt) or state.attempt_status == "action":
        return []
    asked = _action_required(command, state)
    reason = _cancel_reason(state)
    if reason is not None:
        return [asked, final_failure(state, "cancel", reason, void=True)]
    return [asked]


def _action_required(
    command: m.RecordAuthenticationRequired, state: State
) -> m.PaymentActionRequired:
    """Whoever is at the checkout sees it there; once the order is confirmed nobody is."""
    asked = m.PaymentActionRequired(command.order_id, command.attempt, command.url)
    if state.base != "confirmed":
        return asked
    order = state.order
    return replace(
        asked,
        amount=command.amount,
        off_session=True,
        owed=not state.unshipped,
        customer_id=order.customer_id,
        contact=order.contact,
        language=order.language,
    )


def record_payment_declined(command: m.RecordPaymentDeclined, state: State) -> list[m.OrderEvent]:
    if not _awaits(state, command.attempt):
        return []
    failed = m.PaymentAttemptFailed(
        command.order_id, command.attempt, command.code, command.retryable
    )
    reason = _cancel_reason(state)
    if reason is not None:
        return [failed, final_failure(state, "cancel", reason, void=command.unsure)]
    if state.base == "confirmed":
        return [failed, *stop_parcels(state, LAPSED)]
    if command.retryable and state.last_attempt:
        return [failed, final_failure(state, "expiry", "unpaid")]
    if command.retryable:
        return [failed]
    return [failed, final_failure(state, "payment", command.code, void=command.unsure)]


def record_authorization_voided(
    command: m.RecordAuthorizationVoided, state: State
) -> list[m.OrderEvent]:
    return [m.OrderPaymentVoided(command.order_id)] if "void" in state.awaited else []


def record_authorization_expired(
    command: m.RecordAuthorizationExpired, state: State
) -> list[m.OrderEvent]:
    """Nothing is held any more: as good as a void, or a reason to ask anew.

    Where something may be held all the same, the void that is awaited comes after the void of that.
    """
    if "void" in state.awaited:
        return [] if command.unsure else [m.OrderPaymentVoided(command.order_id)]
    if state.base == "awaiting_payment" and state.attempt_status == "authorized":
        return [m.PaymentAttemptFailed(command.order_id, state.attempt, LAPSED, True)]
    if state.base != "confirmed" or state.authorization_expired or state.ending:
        return []
    if not state.unshipped or state.asking:
        return []
    asked = request_payment(state, state.payment_method)
    return [*asked, m.OrderHeld(command.order_id, LAPSED)] if asked else []


def record_payment_captured(command: m.RecordPaymentCaptured, state: State) -> list[m.OrderEvent]:
    if command.parcel_id not in state.captures_open:
        return []
    return [m.OrderPaid(command.order_id, command.parcel_id, command.amount)]


def record_capture_failed(command: m.RecordCaptureFailed, state: State) -> list[m.OrderEvent]:
    if command.parcel_id not in state.captures_open:
        return []
    order_id, amount = command.order_id, state.captures_open[command.parcel_id]
    failed = m.OrderPaymentFailed(
        order_id, "capture", command.parcel_id, command.code, state.money(amount)
    )
    others = len(state.captures_open) > 1 or state.unshipped
    if command.code != LAPSED or others or state.asking or state.ending:
        return [failed]
    owed = state.money(amount + sum(state.owed.values()))
    anew = m.PaymentRequested(
        order_id, state.attempt + 1, owed, state.payment_method, replaces=True
    )
    return [failed, anew]


def record_payment_refunded(command: m.RecordPaymentRefunded, state: State) -> list[m.OrderEvent]:
    if command.refund_id not in state.refunds_open:
        return []
    order = state.order
    refunded = m.OrderRefunded(
        command.order_id,
        command.refund_id,
        command.amount,
        order.customer_id,
        order.contact,
        order.language,
    )
    return [refunded]


def record_refund_failed(command: m.RecordRefundFailed, state: State) -> list[m.OrderEvent]:
    if command.refund_id not in state.refunds_open:
        return []
    amount = state.money(state.refunds_open[command.refund_id])
    return [
        m.OrderPaymentFailed(command.order_id, "refund", command.refund_id, command.code, amount)
    ]
