"""What each fact of an order changes in its state; no checks, no surprises."""

# ruff: noqa: ARG001 - the table fixes the parameters

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from domain.order import evolve_money as money
from domain.order import messages as m
from domain.order.state import Attempt, Cancellation, ParcelState, Return, State, out_of, units


def _placed(state: State, event: m.OrderPlaced) -> State:
    return State(base="pending", placed=event)


def _rejected(state: State, event: m.OrderRejected) -> State:
    return replace(state, base="rejected", hold="")


def _payment_requested(state: State, event: m.PaymentRequested) -> State:
    base = "awaiting_payment" if state.base != "confirmed" else "confirmed"
    return replace(
        state,
        base=base,
        attempt=event.attempt,
        attempt_status="in_flight",
        failed_code="",
        payment_method=event.payment_method,
        drained=state.drained or event.replaces,
    )


def _action_required(state: State, event: m.PaymentActionRequired) -> State:
    return replace(state, attempt_status="action")


def _attempt_failed(state: State, event: m.PaymentAttemptFailed) -> State:
    return replace(state, attempt_status="declined", failed_code=event.code)


def _payment_window_ended(state: State, event: m.PaymentWindowEnded) -> State:
    return replace(state, last_attempt=True)


def _confirmed(state: State, event: m.OrderConfirmed) -> State:
    return replace(
        state,
        base="confirmed",
        attempt_status="authorized" if state.attempt else "none",
        last_attempt=False,
        authorized=event.authorized.amount_minor,
        parcels={one.parcel_id: ParcelState(one.parcel_id, one.lines) for one in event.parcels},
    )


def _held(state: State, event: m.OrderHeld) -> State:
    match event.reason:
        case "backorder":
            return replace(state, base="awaiting_stock", hold=event.reason)
        case "authorization_expired":
            return replace(state, hold=event.reason, authorization_expired=True)
        case _:
            state = replace(state, hold=event.reason)
            if event.authorized is None:
                return state
            held = event.authorized.amount_minor
            return replace(state, attempt_status="authorized", authorized=held)


def _hold_released(state: State, event: m.HoldReleased) -> State:
    if state.authorization_expired:  # it is held anew
        state = replace(state, attempt_status="authorized", authorization_expired=False)
    return replace(state, hold="")


def _cancellation_requested(state: State, event: m.CancellationRequested) -> State:
    asked = Cancellation(event.lines, event.reason, event.parcels, event.whole)
    return replace(
        state,
        cancellations=event.cancellation,
        cancelling={**state.cancelling, event.cancellation: asked},
    )


def _answered(state: State, number: int, parcel_id: str) -> Mapping[int, Cancellation]:
    """The open cancellations once `parcel_id` (or, with none, the provider) has answered."""
    asked = state.cancelling.get(number)
    if asked is None:
        return state.cancelling
    others = {key: one for key, one in state.cancelling.items() if key != number}
    waiting = tuple(one for one in asked.parcels if one.parcel_id != parcel_id)
    if not parcel_id or not waiting:
        return others
    done = next(one for one in asked.parcels if one.parcel_id == parcel_id)
    return {
        **others,
        number: replace(asked, lines=out_of(asked.lines, done.lines), parcels=waiting),
    }


def _cancellation_refused(state: State, event: m.CancellationRefused) -> State:
    return replace(state, cancelling=_answered(state, event.cancellation, event.parcel_id))


def _lines_cancelled(state: State, event: m.OrderLinesCancelled) -> State:
    cancelled = dict(state.cancelled)
    for line, quantity in units(event.lines).items():
        cancelled[line] = cancelled.get(line, 0) + quantity
    parcels = state.parcels
    if event.parcel_id in parcels:
        parcel = parcels[event.parcel_id]
        left = replace(parcel, lines=out_of(parcel.lines, event.lines))
        parcels = {**parcels, event.parcel_id: left}
    refund = event.refund.amount_minor
    awaited = state.awaited | {f"release:{event.reference}"}
    if event.void:
        awaited |= {"void"}
    return replace(
        state,
        cancelled=cancelled,
        parcels=parcels,
        cancellations=max(state.cancellations, event.cancellation),
        cancelling=_answered(state, event.cancellation, event.parcel_id),
        awaited=awaited,
        promised=state.promised + refund,
        refunds_open=(
            {**state.refunds_open, event.reference: refund} if refund else state.refunds_open
        ),
        ending=event.cause if event.whole else state.ending,
        ending_reason=event.reason if event.whole else state.ending_reason,
    )


def _stock_released(state: State, event: m.OrderStockReleased) -> State:
    return replace(state, awaited=state.awaited - {f"release:{event.reference}"})


def _payment_voided(state: State, event: m.OrderPaymentVoided) -> State:
    asked: Attempt = "declined" if state.attempt_status == "action" else state.attempt_status
    return replace(state, awaited=state.awaited - {"void"}, voided=True, attempt_status=asked)


def _cancelled(state: State, event: m.OrderCancelled) -> State:
    return replace(state, base="cancelled", hold="")


def _expired(state: State, event: m.OrderExpired) -> State:
    return replace(state, base="expired", hold="")


def _shipped(state: State, event: m.OrderShipped) -> State:
    amount = event.amount.amount_minor
    parcel = ParcelState(event.parcel_id, event.lines, "shipped", amount)
    opened = {**state.captures_open, event.parcel_id: amount} if amount else state.captures_open
    return replace(
        state,
        hold="",
        asked=state.asked + amount,
        captures_open=opened,
        last_capture=event.parcel_id if event.last else state.last_capture,
        parcels={**state.parcels, event.parcel_id: parcel},
    )


def _delivered(state: State, event: m.OrderDelivered) -> State:
    parcel = replace(state.parcels[event.parcel_id], status="delivered")
    return replace(state, parcels={**state.parcels, event.parcel_id: parcel})


def _parcel_lost(state: State, event: m.OrderParcelLost) -> State:
    parcel = replace(state.parcels[event.parcel_id], status=event.cause, paid_back=True)
    return money.owing(
        replace(
            state,
            parcels={**state.parcels, event.parcel_id: parcel},
            owed=money.without(state.owed, event.parcel_id),
        ),
        event.refund_id,
        event.refund.amount_minor,
    )


def _return_requested(state: State, event: m.ReturnRequested) -> State:
    return replace(state, returns={**state.returns, event.return_no: Return(event.lines)})


def _return_approved(state: State, event: m.ReturnApproved) -> State:
    approved = Return(event.lines, "approved")
    return replace(state, returns={**state.returns, event.return_no: approved})


def _return_refused(state: State, event: m.ReturnRefused) -> State:
    refused = replace(state.returns[event.return_no], status="refused")
    return replace(state, returns={**state.returns, event.return_no: refused})


def _return_settled(state: State, event: m.ReturnSettled) -> State:
    settled = Return(event.lines, "settled", state.refundable_lines(event.lines))
    return money.owing(
        replace(
            state,
            returns={**state.returns, event.return_no: settled},
            owed=money.waived(state.owed, event.waived.amount_minor if event.waived else 0),
        ),
        event.refund_id,
        event.refund.amount_minor,
    )


def _window_ended(state: State, event: m.ReturnWindowEnded) -> State:
    return replace(state, window_ended=True)


def _completed(state: State, event: m.OrderCompleted) -> State:
    return replace(state, base="completed", hold="")


CHANGES: Mapping[type[m.OrderEvent], Callable[[State, Any], State]] = {
    m.OrderPlaced: _placed,
    m.PaymentRequested: _payment_requested,
    m.OrderConfirmed: _confirmed,
    m.OrderShipped: _shipped,
    m.OrderPaid: money.paid,
    m.OrderDelivered: _delivered,
    m.OrderCompleted: _completed,
    m.OrderRejected: _rejected,
    m.PaymentActionRequired: _action_required,
    m.PaymentAttemptFailed: _attempt_failed,
    m.PaymentWindowEnded: _payment_window_ended,
    m.OrderHeld: _held,
    m.HoldReleased: _hold_released,
    m.CancellationRequested: _cancellation_requested,
    m.CancellationRefused: _cancellation_refused,
    m.OrderLinesCancelled: _lines_cancelled,
    m.OrderStockReleased: _stock_released,
    m.OrderPaymentVoided: _payment_voided,
    m.OrderCancelled: _cancelled,
    m.OrderExpired: _expired,
    m.OrderPaymentFailed: money.payment_failed,
    m.OrderRefunded: money.refunded,
    m.OrderAuthorizedAnew: money.authorized_anew,
    m.AuthorizationNotNeeded: money.not_needed,
    m.OrderPaymentRetried: money.payment_retried,
    m.OrderWrittenOff: money.written_off,
    m.OrderParcelLost: _parcel_lost,
    m.ReturnRequested: _return_requested,
    m.ReturnApproved: _return_approved,
    m.ReturnRefused: _return_refused,
    m.ReturnSettled: _return_settled,
    m.ReturnWindowEnded: _window_ended,
}


def evolve(state: State, event: m.OrderEvent) -> State:
    return CHANGES[type(event)](state, event)
