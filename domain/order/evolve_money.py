"""What the facts of money change in an order's state: taken, given back, owed, let go."""

from collections.abc import Mapping

from msgspec.structs import replace

from domain.order import messages as m
from domain.order.state import State


def paid(state: State, event: m.OrderPaid) -> State:
    return replace(
        state,
        captured=state.captured + event.amount.amount_minor,
        captures_open=without(state.captures_open, event.parcel_id),
        drained=state.drained or event.parcel_id == state.last_capture,
    )


def payment_failed(state: State, event: m.OrderPaymentFailed) -> State:
    failures = {**state.failures, event.subject: state.failures.get(event.subject, 0) + 1}
    state = replace(state, needs_person=True, failures=failures)
    if event.step == "capture":
        amount = state.captures_open.get(event.subject, 0)
        return replace(
            state,
            asked=state.asked - amount,
            owed={**state.owed, event.subject: amount},
            captures_open=without(state.captures_open, event.subject),
        )
    amount = state.refunds_open.get(event.subject, 0)
    return replace(
        state,
        unrefunded={**state.unrefunded, event.subject: amount},
        refunds_open=without(state.refunds_open, event.subject),
    )


def refunded(state: State, event: m.OrderRefunded) -> State:
    return replace(
        state,
        refunded=state.refunded + event.amount.amount_minor,
        refunds_open=without(state.refunds_open, event.refund_id),
    )


def authorized_anew(state: State, event: m.OrderAuthorizedAnew) -> State:
    held = state.asked + event.amount.amount_minor
    return replace(
        state,
        attempt_status="authorized",
        authorized=held,
        voided=False,
        authorization_expired=False,
        drained=False,
    )


def not_needed(state: State, event: m.AuthorizationNotNeeded) -> State:  # noqa: ARG001 - the table
    return replace(state, awaited=state.awaited | {"void"})


def payment_retried(state: State, event: m.OrderPaymentRetried) -> State:
    amount, subject = event.amount.amount_minor, event.subject
    if event.step == "capture":
        state = replace(
            state,
            asked=state.asked + amount,
            owed=without(state.owed, subject),
            captures_open={**state.captures_open, subject: amount},
            last_capture=subject if event.last else state.last_capture,
        )
    else:
        state = replace(
            state,
            unrefunded=without(state.unrefunded, subject),
            refunds_open={**state.refunds_open, subject: amount},
        )
    return replace(state, needs_person=bool(state.owed or state.unrefunded))


def written_off(state: State, event: m.OrderWrittenOff) -> State:
    lost = state.written_off + event.amount.amount_minor
    parcels = {
        name: replace(one, paid_back=one.paid_back or name in state.owed)
        for name, one in state.parcels.items()
    }
    return replace(
        state,
        owed={},
        unrefunded={},
        written_off=lost,
        write_offs=state.write_offs + 1,
        parcels=parcels,
    )


def owing(state: State, refund_id: str, amount: int) -> State:
    """A refund is promised."""
    if not amount:
        return state
    return replace(
        state,
        promised=state.promised + amount,
        refunds_open={**state.refunds_open, refund_id: amount},
    )


def waived(owed: Mapping[str, int], amount: int) -> dict[str, int]:
    """What is still owed when `amount` of it need not be paid, the oldest first."""
    left: dict[str, int] = {}
    for parcel_id, minor in owed.items():
        taken = min(minor, amount)
        amount -= taken
        if minor > taken:
            left[parcel_id] = minor - taken
    return left


def without(table: Mapping[str, int], key: str) -> dict[str, int]:
    return {name: amount for name, amount in table.items() if name != key}
