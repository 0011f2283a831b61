"""What each fact of a payment changes; no checks, no surprises."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from domain.message import Money
from domain.payment import messages as m
from domain.payment.messages import Step
from domain.payment.state import Authentication, State, Wish

K = TypeVar("K")
V = TypeVar("V")


def evolve(state: State, event: m.PaymentEvent) -> State:
    match event:
        case m.PaymentAuthorized(attempt=attempt, amount=amount, reference=reference):
            renewed = _without_authorizations(state.pending)
            return replace(
                state,
                attempt=attempt,
                answered=attempt,
                authorized=Money(state.captured + amount.amount_minor, amount.currency),
                reference=reference,
                pending=renewed,
                authentication=None,
                voided=False,
                expired=False,
                final=state.final and attempt <= state.answered,
            )
        case m.PaymentCaptured(parcel_id=parcel_id, amount=amount, final=final):
            state = _done(state, "capture", parcel_id)
            captured = state.captured + amount.amount_minor
            return replace(state, captured=captured, final=state.final or final)
        case m.PaymentDeferred() | m.PaymentOutcomeUnknown():
            return _deferred(state, event)
        case m.PaymentRefunded(refund_id=refund_id, amount=amount):
            state = _done(state, "refund", refund_id)
            return replace(state, refunded=state.refunded + amount.amount_minor)
        case m.CaptureFailed(parcel_id=parcel_id, final=final):
            state = _failed(state, "capture", parcel_id)
            return replace(state, final=state.final or final)
        case m.RefundFailed(refund_id=refund_id):
            return _failed(state, "refund", refund_id)
        case _:
            return _authorization_changed(state, event)


def _authorization_changed(state: State, event: m.PaymentEvent) -> State:
    match event:
        case m.AuthenticationRequired():
            waits = Authentication(event.attempt, event.amount, event.reference, event.off_session)
            return replace(
                state,
                attempt=event.attempt,
                authentication=waits,
                pending=_without_authorizations(state.pending),
            )
        case m.PaymentDeclined(attempt=attempt):
            return replace(
                state,
                attempt=attempt,
                answered=attempt,
                authentication=None,
                abandoned=_abandoned(state),
                pending=_without_authorizations(state.pending),
            )
        case m.AuthorizationCameLate(reference=reference):
            return replace(state, abandoned=_without(state.abandoned, reference))
        case m.AuthorizationVoided(reference=reference) if reference:
            return _answered(state, "void", reference)
        case m.AuthorizationExpired(reference=reference) if reference:
            return _answered(state, "void", reference)
        case m.AuthorizationVoided():
            state = _answered(state, "void", "")
            return replace(state, voided=True, authentication=None, abandoned=_abandoned(state))
        case m.AuthorizationExpired(unsure=unsure):
            # A void may still come: for an order that is given up, or after it was paid anew; and
            # one that waits stays where what may be held is voided first.
            # A new attempt that waits behind it goes on; a renewal or a challenge is over.
            left = state.pending if unsure else _without(state.pending, ("void", ""))
            waiting = {
                name: wish
                for name, wish in left.items()
                if name[0] != "authorize" or not wish.reference
            }
            return replace(
                state,
                expired=True,
                pending=waiting,
                authentication=None,
                abandoned=_abandoned(state),
            )
        case _:
            raise TypeError(f"{type(event).__name__} is not an event of payment")


def _deferred(state: State, event: m.PaymentDeferred | m.PaymentOutcomeUnknown) -> State:
    before = state.pending.get((event.step, event.subject))
    wish = Wish(
        event.step,
        event.subject,
        event.key,
        event.amount,
        event.attempt,
        event.payment_method,
        event.reference,
        event.final,
        event.tries,
        event.first_at,
        event.at_checkout,
        isinstance(event, m.PaymentOutcomeUnknown) or (before is not None and before.unsure),
    )
    attempt = max(state.attempt, event.attempt)
    pending = {**state.pending, (event.step, event.subject): wish}
    return replace(state, attempt=attempt, pending=pending)


def _abandoned(state: State) -> Mapping[str, Authentication]:
    waits = state.authentication
    return state.abandoned if waits is None else {**state.abandoned, waits.reference: waits}


def _done(state: State, step: Step, subject: str) -> State:
    state = _answered(state, step, subject)
    return replace(state, done=state.done | {(step, subject)})


def _failed(state: State, step: Step, subject: str) -> State:
    name = (step, subject)
    failures = {**state.failures, name: state.failures.get(name, 0) + 1}
    return replace(_answered(state, step, subject), failures=failures)


def _answered(state: State, step: Step, subject: str) -> State:
    if (step, subject) not in state.pending:
        return state
    return replace(state, pending=_without(state.pending, (step, subject)))


def _without(table: Mapping[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in table.items() if name != key}


def _without_authorizations(
    pending: Mapping[tuple[Step, str], Wish],
) -> Mapping[tuple[Step, str], Wish]:
    if not pending:
        return pending
    return {name: wish for name, wish in pending.items() if name[0] != "authorize"}
