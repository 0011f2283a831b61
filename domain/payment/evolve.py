"""What each fact of a payment changes; no checks, no surprises."""

from collections.abc import Mapping

from msgspec.structs import replace

from domain.message import Money
from domain.payment import messages as m
from domain.payment.messages import Step
from domain.payment.state import RENEWAL, Authentication, State, Wish


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
                expired=False,
                unsure=None,
            )
        case m.PaymentCaptured(parcel_id=parcel_id, amount=amount, final=final):
            state = _answered(state, "capture", parcel_id)
            captured = state.captured + amount.amount_minor
            return replace(state, captured=captured, final=state.final or final)
        case m.PaymentDeferred() | m.PaymentOutcomeUnknown():
            return _deferred(state, event)
        case m.PaymentRefunded(refund_id=refund_id, amount=amount):
            state = _answered(state, "refund", refund_id)
            return replace(state, refunded=state.refunded + amount.amount_minor)
        case m.CaptureFailed(parcel_id=parcel_id, final=final):
            return replace(_answered(state, "capture", parcel_id), final=state.final or final)
        case m.RefundFailed(refund_id=refund_id):
            return _answered(state, "refund", refund_id)
        case _:
            return _authorization_changed(state, event)


def _authorization_changed(state: State, event: m.PaymentEvent) -> State:
    match event:
        case m.AuthenticationRequired():
            waits = Authentication(event.attempt, event.amount, event.reference)
            return replace(
                state,
                attempt=event.attempt,
                authentication=waits,
                pending=_without_authorizations(state.pending),
            )
        case m.PaymentDeclined(attempt=attempt, unsure=unsure):
            return replace(
                state,
                unsure=_given_up(state, str(attempt)) if unsure else state.unsure,
                attempt=attempt,
                answered=attempt,
                authentication=None,
                pending=_without_authorizations(state.pending),
            )
        case m.AuthorizationVoided():
            state = _answered(state, "void", "")
            return replace(state, voided=True, authentication=None, unsure=None)
        case m.AuthorizationExpired(unsure=unsure):
            # A void may still come: for an order that is given up, or after it was paid anew.
            waiting = _without_authorizations(state.pending)
            waiting = {name: wish for name, wish in waiting.items() if name[0] != "void"}
            given_up = _given_up(state, RENEWAL) if unsure else None
            return replace(state, expired=True, pending=waiting, unsure=given_up)
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
        isinstance(event, m.PaymentOutcomeUnknown) or (before is not None and before.unsure),
    )
    attempt = max(state.attempt, event.attempt)
    pending = {**state.pending, (event.step, event.subject): wish}
    return replace(state, attempt=attempt, pending=pending)


def _given_up(state: State, subject: str) -> Wish | None:
    return state.pending.get(("authorize", subject))


def _answered(state: State, step: Step, subject: str) -> State:
    pending = state.pending
    if (step, subject) in pending:
        pending = {name: wish for name, wish in pending.items() if name != (step, subject)}
    return replace(state, done=state.done | {(step, subject)}, pending=pending)


def _without_authorizations(
    pending: Mapping[tuple[Step, str], Wish],
) -> Mapping[tuple[Step, str], Wish]:
    if not pending:
        return pending
    return {name: wish for name, wish in pending.items() if name[0] != "authorize"}
