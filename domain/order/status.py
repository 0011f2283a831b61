"""Where an order stands, on the three axes on which people ask."""

from typing import get_args

from domain.order.state import Base, State

STATUSES: tuple[str, ...] = (*get_args(Base)[1:], "on_hold", "cancelling")
"""Each that an order can show; the first base is that of an order which nobody placed."""

RESTING: frozenset[str] = frozenset(
    {
        "confirmed",
        "on_hold",
        "rejected",
        "cancelled",
        "expired",
        "completed",
    }
)


def status_of(state: State) -> tuple[str, str, str]:
    """The order's status, its fulfilment, its payment."""
    return order_status(state), fulfilment_status(state), payment_status(state)


def is_resting(state: State) -> bool:
    """Whether it goes on only by a person, a timer or the carrier."""
    order, _, payment = status_of(state)
    return rests(order, payment)


def rests(order: str, payment: str) -> bool:
    """The same of the two axes by name; `awaiting_payment` rests unless the provider is asked."""
    if order == "awaiting_payment":
        return payment in ("requires_action", "failed")
    return order in RESTING


def order_status(state: State) -> str:
    if state.closed or state.base == "none":
        return state.base
    if state.ending or any(one.whole for one in state.cancelling.values()):
        return "cancelling"
    return "on_hold" if state.hold else state.base


def fulfilment_status(state: State) -> str:
    parcels = [one for one in state.parcels.values() if one.lines]
    if not parcels:
        return "none"
    kinds = {one.status for one in parcels}
    came_back = sum(
        line.quantity
        for one in state.returns.values()
        if one.status == "settled"
        for line in one.lines
    )
    if came_back:
        gone = ("lost", "returned_to_sender")
        kept = [line for one in parcels if one.status not in gone for line in one.lines]
        whole = came_back >= sum(line.quantity for line in kept)
        return "returned" if whole else "partially_returned"
    if kinds == {"planned"}:
        return "none" if state.ending else "in_fulfilment"
    if "planned" in kinds:
        return "partially_shipped"
    if "shipped" in kinds:
        return "shipped"
    if "delivered" in kinds:
        return "delivered"
    return "lost" if "lost" in kinds else "returned"


def payment_status(state: State) -> str:
    if state.captured:
        return _captured(state)
    if state.voided:
        return "voided"
    if state.authorization_expired:
        return "authorization_expired"
    match state.attempt_status:
        case "in_flight":
            return "processing"
        case "action":
            return "requires_action"
        case "declined":
            return "failed"
        case "authorized":
            return "failed" if state.needs_person else "authorized"
        case "none":
            return "created"


def _captured(state: State) -> str:
    if state.refunded >= state.captured:
        return "refunded"
    if state.refunded:
        return "partially_refunded"
    return "captured" if state.captured >= state.due else "partially_captured"
