"""The payment: nothing is charged twice, and each answer of the provider becomes a fact."""

from datetime import datetime

from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import Refused
from domain.payment import messages as m
from domain.payment.asking import blocker, request_for, wish_of, without_asking
from domain.payment.evolve import evolve
from domain.payment.state import RENEWAL, UNREACHABLE, State, Wish


def ask(command: m.PaymentCommand, state: State, command_id: str) -> m.ProviderRequest | None:
    """What to ask the provider before deciding; None when there is nothing to ask.

    `command_id` makes the key of a first try; a later try takes the key that it had.
    """
    wish = wish_of(command, state, command_id)
    if wish is None or (wish.step == "authorize" and state.refuses):
        return None
    if without_asking(command.order_id, wish, state) is not None:
        return None
    return request_for(command.order_id, blocker(wish, state) or wish, state)


def decide(command: m.PaymentCommand | m.Answered, state: State) -> list[m.PaymentEvent]:
    match command:
        case m.Answered():
            return _answered(command, state)
        case m.ExpireAuthentication(order_id=order_id, attempt=attempt):
            waits = state.authentication
            if waits is None or waits.attempt != attempt or _authorizing(state):
                return []
            return [m.PaymentDeclined(order_id, attempt, "authentication_expired", True)]
        case m.RecordProviderNotice():
            return _noticed(command, state)
        case m.ConfirmAuthentication(attempt=attempt) if state.authentication is None:
            if attempt <= state.answered and not state.voided:
                return []
            raise Refused("no_authentication", attempt=attempt)
        case _:
            wish = wish_of(command, state, "")
            if wish is None:
                return []
            return without_asking(command.order_id, wish, state) or []


def _answered(answered: m.Answered, state: State) -> list[m.PaymentEvent]:
    command, request = answered.command, answered.request
    wish = wish_of(command, state, "")
    if wish is None:
        return []
    first = blocker(wish, state)
    if first is None:
        late = _came_late(command, wish)
        return [*late, *_facts(replace(wish, key=request.key), answered, state)]
    waiting = wish if wish.tries else replace(wish, key=_key_behind(first, wish, command.order_id))
    facts = _facts(first, answered, state)
    return [*facts, *(_over(waiting, facts, state) or [_wait(waiting, first, answered)])]


def _over(wish: Wish, facts: list[m.PaymentEvent], state: State) -> list[m.PaymentEvent] | None:
    """A void needs no other time when what it waited for left nothing to let go."""
    if wish.step != "void":
        return None
    for fact in facts:
        state = evolve(state, fact)
    return without_asking(facts[0].order_id, wish, state)


def _came_late(command: m.PaymentCommand, wish: Wish) -> list[m.PaymentEvent]:
    if not isinstance(command, m.RecordProviderNotice):
        return []
    return [
        m.AuthorizationCameLate(command.order_id, wish.attempt, wish.amount, wish.reference),
    ]


def _key_behind(first: Wish, wish: Wish, order_id: str) -> str:
    """Stable and its own: the key of what it waits for contains that one's first command id."""
    return f"{order_id}/{wish.step}/{wish.subject}/after/{first.key}"


def _wait(wish: Wish, first: Wish, answered: m.Answered) -> m.PaymentEvent:
    """Behind `first`, which was asked: at once if that has its answer now, else as long as that."""
    tries = max(1, wish.tries)
    unreached = answered.answer.outcome in ("unreachable", "unknown")
    pause = answered.backoff.pause(wish.key, first.tries + 1)
    at = answered.at + pause if unreached else answered.at
    waiting = replace(wish, tries=tries, first_at=wish.first_at or answered.at)
    return _deferral(m.PaymentDeferred, answered.command.order_id, waiting, at)


def _facts(wish: Wish, answered: m.Answered, state: State) -> list[m.PaymentEvent]:
    order_id, answer = answered.command.order_id, answered.answer
    match answer.outcome:
        case "approved":
            return [_approved(wish, answer, order_id)]
        case "declined":
            return _failed(wish, answer.code or "declined", answer.retryable, answered, state)
        case "action_required":
            if wish.step == "authorize" and wish.subject != RENEWAL:
                return [
                    m.AuthenticationRequired(
                        order_id,
                        wish.attempt,
                        wish.amount,
                        answer.reference,
                        answer.url,
                        state.off_session(wish),
                    )
                ]
            return _failed(wish, "action_required", False, answered, state)
        case "unreachable" | "unknown":
            return _again(wish, answered, state)


def _again(wish: Wish, answered: m.Answered, state: State) -> list[m.PaymentEvent]:
    tries = wish.tries + 1
    first_at = wish.first_at or answered.at
    order_id = answered.command.order_id
    at = answered.backoff.next_try(wish.key, tries, answered.at, first_at)
    unreachable = answered.answer.outcome == "unreachable"
    unsure = wish.unsure or not unreachable
    if at is None and unsure and wish.step in ("capture", "refund"):
        # money may have moved: until we know
        at = answered.at + answered.backoff.pause(wish.key, tries)
    if at is None:
        return _failed(replace(wish, unsure=unsure), UNREACHABLE, False, answered, state)
    kind = m.PaymentDeferred if unreachable else m.PaymentOutcomeUnknown
    return [_deferral(kind, order_id, replace(wish, tries=tries, first_at=first_at), at)]


def _deferral(
    kind: type[m.PaymentDeferred] | type[m.PaymentOutcomeUnknown],
    order_id: str,
    wish: Wish,
    retry_at: datetime,
) -> m.PaymentEvent:
    assert wish.first_at is not None
    return kind(
        order_id,
        wish.step,
        wish.subject,
        wish.key,
        wish.amount,
        wish.tries,
        retry_at,
        wish.first_at,
        wish.attempt,
        wish.payment_method,
        wish.reference,
        wish.final,
        wish.at_checkout,
    )


def _approved(wish: Wish, answer: m.ProviderAnswer, order_id: str) -> m.PaymentEvent:
    match wish.step:
        case "authorize":
            return m.PaymentAuthorized(order_id, wish.attempt, wish.amount, answer.reference)
        case "capture":
            return m.PaymentCaptured(
                order_id, wish.subject, wish.amount, answer.reference, wish.final
            )
        case "void":
            return m.AuthorizationVoided(order_id, wish.amount, reference=wish.subject)
        case "refund":
            return m.PaymentRefunded(order_id, wish.subject, wish.amount, answer.reference)


def _failed(
    wish: Wish, code: str, retryable: bool, answered: m.Answered, state: State
) -> list[m.PaymentEvent]:
    """A void that fails leaves the authorisation to lapse by itself."""
    order_id = answered.command.order_id
    unsure = code == UNREACHABLE and wish.unsure
    match wish.step:
        case "authorize" if wish.subject == RENEWAL:
            held = replace(wish.amount, amount_minor=state.held)
            expired = m.AuthorizationExpired(order_id, held, unsure=True)
            return [expired, _let_go(replace(wish, amount=held), answered)]
        case "authorize":
            declined = m.PaymentDeclined(order_id, wish.attempt, code, retryable, unsure)
            return [declined, _let_go(wish, answered)] if unsure else [declined]
        case "capture":
            return [m.CaptureFailed(order_id, wish.subject, wish.amount, code, wish.final)]
        case "void":
            return [m.AuthorizationExpired(order_id, wish.amount, reference=wish.subject)]
        case "refund":
            return [m.RefundFailed(order_id, wish.subject, wish.amount, code)]


def _let_go(given_up: Wish, answered: m.Answered) -> m.PaymentEvent:
    """Whatever the provider may hold of what was given up is voided by itself, since the attempts
    that follow know nothing of it."""
    reference, key = given_up.reference or given_up.key, f"{given_up.key}/void"
    void = Wish("void", reference, key, given_up.amount, given_up.attempt, reference=reference)
    void = replace(void, tries=1, first_at=answered.at)
    at = answered.at + answered.backoff.pause(key, 1)
    return _deferral(m.PaymentDeferred, answered.command.order_id, void, at)


def _authorizing(state: State) -> bool:
    return any(step == "authorize" for step, _ in state.pending)


def _noticed(notice: m.RecordProviderNotice, state: State) -> list[m.PaymentEvent]:
    """Only what names a reference of ours is believed; the rest is asked for under our own key."""
    waits = state.authentication
    if waits is None or waits.reference != notice.reference:
        return []
    match notice.status:
        case "authorized":
            return [
                m.PaymentAuthorized(notice.order_id, waits.attempt, waits.amount, waits.reference)
            ]
        case "declined":
            return [m.PaymentDeclined(notice.order_id, waits.attempt, "declined", True)]
        case _:
            return []


decider: Decider[m.PaymentCommand | m.Answered, m.PaymentEvent, State] = Decider(
    State(), decide, evolve
)
