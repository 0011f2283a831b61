"""The order: every wish and every reported fact, and the rule that answers it."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.decider import Decider
from domain.order import cancelling, paying, placing, returning, settling, shipping
from domain.order import messages as m
from domain.order.evolve import evolve
from domain.order.state import State

RULES: Mapping[type[m.OrderCommand], Callable[[Any, State], list[m.OrderEvent]]] = {
    m.PlaceOrder: placing.place_order,
    m.RecordStockReserved: placing.record_stock_reserved,
    m.RecordPaymentAuthorized: paying.record_payment_authorized,
    m.RecordHandedOver: shipping.record_handed_over,
    m.RecordPaymentCaptured: paying.record_payment_captured,
    m.RecordDelivered: shipping.record_delivered,
    m.CompleteOrder: shipping.complete_order,
    m.SettleOrder: settling.settle_order,
    m.ConfirmOrder: placing.confirm_order,
    m.CancelOrder: cancelling.cancel_order,
    m.ExpireOrder: placing.expire_order,
    m.HoldOrder: placing.hold_order,
    m.ReleaseHold: placing.release_hold,
    m.PayOrder: paying.pay_order,
    m.RequestReturn: returning.request_return,
    m.ApproveReturn: returning.approve_return,
    m.RefuseReturn: returning.refuse_return,
    m.RecordStockShort: placing.record_stock_short,
    m.RecordBackordered: placing.record_backordered,
    m.RecordReservationReleased: cancelling.record_reservation_released,
    m.RecordAuthenticationRequired: paying.record_authentication_required,
    m.RecordPaymentDeclined: paying.record_payment_declined,
    m.RecordAuthorizationVoided: paying.record_authorization_voided,
    m.RecordAuthorizationExpired: paying.record_authorization_expired,
    m.RecordCaptureFailed: paying.record_capture_failed,
    m.RecordPaymentRefunded: paying.record_payment_refunded,
    m.RecordRefundFailed: paying.record_refund_failed,
    m.RecordParcelLost: shipping.record_parcel_lost,
    m.RecordShipmentCancelled: cancelling.record_shipment_cancelled,
    m.RecordShipmentKept: cancelling.record_shipment_kept,
    m.RecordReturnReceived: returning.record_return_received,
}


def decide(command: m.OrderCommand, state: State) -> list[m.OrderEvent]:
    events = RULES[type(command)](command, state)
    if not events or state.base != "confirmed":
        return _concluded(events, state) if events and state.ending else events
    after = _after(events, state)
    events = [*events, *settling.let_go(after)]
    return _concluded(events, state) if state.ending or state.window_ended else events


def _after(events: list[m.OrderEvent], state: State) -> State:
    for event in events:
        state = evolve(state, event)
    return state


def _concluded(events: list[m.OrderEvent], state: State) -> list[m.OrderEvent]:
    """With the last thing that was open comes back, the order closes."""
    state = _after(events, state)
    if state.closed or not state.settled:
        return events
    order = state.order
    if state.ending == "expiry":
        return [*events, m.OrderExpired(order.order_id, state.ending_reason)]
    if state.ending:
        cancelled = m.OrderCancelled(
            order.order_id,
            state.ending_reason or state.ending,
            order.customer_id,
            order.contact,
            order.language,
        )
        return [*events, cancelled]
    return [*events, shipping.completed(state)]


decider: Decider[m.OrderCommand, m.OrderEvent, State] = Decider(State(), decide, evolve)
