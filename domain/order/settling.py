"""Money that is owed because a capture or a refund failed: a person decides what becomes of it.

What is owed keeps the order open. It is tried again as it was, authorised anew on another card, or
let go. A capture that failed since the authorisation had lapsed is tried again by itself when the
money is held anew.
"""

from typing import Literal

from domain.errors import Refused
from domain.order import messages as m
from domain.order.state import State


def settle_order(command: m.SettleOrder, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if not (state.owed or state.unrefunded):
        raise Refused("nothing_owed")
    if state.asking:
        raise Refused("payment_under_way", attempt=state.attempt)
    if command.write_off:
        return [_written_off(state, command.reason)]
    refunds = _refunds(state)
    if not (command.payment_method and state.owed):
        return [*captures(state), *refunds]
    if state.captures_open or state.unshipped:
        raise Refused("parcels_under_way")
    amount = state.money(sum(state.owed.values()))
    asked = m.PaymentRequested(
        command.order_id, state.attempt + 1, amount, command.payment_method, replaces=True
    )
    return [asked, *refunds]


def let_go(state: State) -> list[m.OrderEvent]:
    """What no capture will ever take is not left to lapse by itself."""
    needed = state.owed or state.captures_open or state.unshipped or state.asking
    held = state.authorized and not (state.voided or state.drained or state.authorization_expired)
    if state.base != "confirmed" or state.ending or needed or not held or "void" in state.awaited:
        return []
    return [m.AuthorizationNotNeeded(state.order.order_id)]


def captures(state: State) -> list[m.OrderEvent]:
    """Asks for all that the customer owes, now that it may be held."""
    final = list(state.owed)[-1] if state.owed and not state.unshipped else ""
    return [
        _retried(state, "capture", parcel_id, minor, last=parcel_id == final)
        for parcel_id, minor in state.owed.items()
    ]


def _refunds(state: State) -> list[m.OrderEvent]:
    return [
        _retried(state, "refund", refund_id, minor) for refund_id, minor in state.unrefunded.items()
    ]


def _retried(
    state: State,
    step: Literal["capture", "refund"],
    subject: str,
    minor: int,
    *,
    last: bool = False,
) -> m.OrderPaymentRetried:
    again = state.failures.get(subject, 0)
    return m.OrderPaymentRetried(
        state.order.order_id, step, subject, state.money(minor), again, last
    )


def _written_off(state: State, reason: str) -> m.OrderWrittenOff:
    order = state.order
    return m.OrderWrittenOff(
        order.order_id,
        state.money(sum(state.owed.values())),
        state.money(sum(state.unrefunded.values())),
        reason,
        state.write_offs + 1,
        order.customer_id,
        order.contact,
        order.language,
    )
