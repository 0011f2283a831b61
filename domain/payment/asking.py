"""What a command wants of the provider, and what needs no asking."""

from msgspec.structs import replace

from domain.errors import Refused
from domain.message import Money
from domain.payment import messages as m
from domain.payment.state import RENEWAL, State, Wish

NOTHING = Money(0, "")
IMPORTED = "import:"  # begins the reference of a payment that our provider never saw


def wish_of(command: m.PaymentCommand, state: State, command_id: str) -> Wish | None:
    """The wish behind a command, None where there is none (any more)."""
    match command:
        case m.AuthorizePayment(attempt=attempt, amount=amount, payment_method=method):
            there = command.at_checkout
            if attempt <= state.attempt:
                return None
            key = _key(command, "authorize", command_id)
            return Wish("authorize", str(attempt), key, amount, attempt, method, at_checkout=there)
        case m.CapturePayment(parcel_id=parcel_id, amount=amount, final=final, again=again):
            if _known(state, "capture", parcel_id, again):
                return None
            key = _key(command, "capture", command_id)
            return Wish("capture", parcel_id, key, amount, final=final)
        case m.VoidAuthorization():
            if state.voided or ("void", "") in state.pending:
                return None
            key = _key(command, "void", command_id)
            return _void(Wish("void", "", key, NOTHING), state)
        case m.RefundPayment(refund_id=refund_id, amount=amount, again=again):
            if _known(state, "refund", refund_id, again):
                return None
            key = _key(command, "refund", command_id)
            return Wish("refund", refund_id, key, amount)
        case m.RetryPayment(step=step, subject=subject):
            waiting = state.pending.get((step, subject))
            if waiting is None or step != "void" or subject:
                return waiting
            # What it waited for may have changed how much is held.
            return _void(waiting, state)
        case _:
            return _authorization_wish(command, state, command_id)


def _void(wish: Wish, state: State) -> Wish:
    """Of what is held, or of the challenge that the customer was given."""
    reference = ""
    if not state.held and state.authentication is not None:
        reference = state.authentication.reference
    return replace(wish, amount=state.voidable or NOTHING, reference=reference)


def _authorization_wish(command: m.PaymentCommand, state: State, command_id: str) -> Wish | None:
    match command:
        case m.ConfirmAuthentication(attempt=attempt):
            waits = state.authentication
            if waits is None or waits.attempt != attempt:
                return None
            key = _key(command, "confirm", command_id)
            return Wish(
                "authorize",
                str(attempt),
                key,
                waits.amount,
                attempt,
                reference=waits.reference,
                at_checkout=not waits.off_session,
            )
        case m.RenewAuthorization():
            if not state.held or state.final or state.pending:
                return None
            key = _key(command, "renew", command_id)
            amount = Money(state.held, _currency(state))
            return Wish("authorize", RENEWAL, key, amount, state.attempt, reference=state.reference)
        case m.RecordProviderNotice(reference=reference, status="authorized"):
            late = state.abandoned.get(reference)
            if late is None:
                return None
            key = _key(command, "void", command_id)
            return Wish("void", reference, key, late.amount, late.attempt, reference=reference)
        case _:
            return None


def blocker(wish: Wish, state: State) -> Wish | None:
    """What must be answered first: the authorisation before its void, captures before both, and
    before the final capture; the voids of what was given up before the one that ends it all.

    A capture waits for a renewal that was asked for, and for any new authorisation when the old one
    has lapsed; an authorisation waits for the void of the one whose place it takes. What came later
    is not waited for, but by the void that ends it all; what is waited for may itself wait.
    """
    first = _ahead(wish, state)
    if first is None:
        return None
    seen = {(wish.step, wish.subject)}
    while (first.step, first.subject) not in seen:
        seen.add((first.step, first.subject))
        first = _ahead(first, state) or first
    return first


def _ahead(wish: Wish, state: State) -> Wish | None:
    if wish.step == "capture" and state.expired:
        return next((one for name, one in state.pending.items() if name[0] == "authorize"), None)
    own = (wish.step, wish.subject)
    came_before = True
    for name, pending in state.pending.items():
        if name == own:
            came_before = False
        elif own == ("void", "") and name[0] == "void":
            return pending  # of what was given up, however late
        elif came_before and name[0] in _first(wish) and not (wish.step == "authorize" and name[1]):
            return pending
    return None


def _first(wish: Wish) -> tuple[m.Step, ...]:
    match wish.step:
        case "void":
            return () if wish.subject else ("capture", "authorize", "void")
        case "refund":
            return ("capture",)
        case "authorize":
            return ("void",)
        case "capture":  # the final one lets go of what is left
            return ("authorize", "capture") if wish.final else ("authorize",)


def without_asking(order_id: str, wish: Wish, state: State) -> list[m.PaymentEvent] | None:
    """The facts that need no provider; None when it has to be asked.

    Of a capture or refund that may have been made, only the provider knows what became of it.
    """
    if blocker(wish, state) is not None or (wish.unsure and wish.step in ("capture", "refund")):
        return None
    match wish.step:
        case "authorize":
            return _unasked(order_id, wish, state)
        case "capture":
            code = _why_not_captured(wish, state)
            if code:
                return [m.CaptureFailed(order_id, wish.subject, wish.amount, code, wish.final)]
        case "void":
            if not wish.subject and state.voidable is None:
                return [m.AuthorizationVoided(order_id)]
        case "refund":
            if state.reference.startswith(IMPORTED):
                return [m.RefundFailed(order_id, wish.subject, wish.amount, "imported_payment")]
            if wish.amount.amount_minor > state.captured - state.refunded:
                return [m.RefundFailed(order_id, wish.subject, wish.amount, "exceeds_captured")]
    return None


def _unasked(order_id: str, wish: Wish, state: State) -> list[m.PaymentEvent] | None:
    """An authorisation that is none of the provider's business."""
    if state.refuses and wish.tries:  # what it waited for has voided it
        return [m.PaymentDeclined(order_id, wish.attempt, "authorization_voided", False)]
    if state.refuses:
        raise Refused("authorization_voided", order_id=order_id)
    if not wish.payment_method and not wish.reference:
        return [m.PaymentDeclined(order_id, wish.attempt, "payment_method_missing", True)]
    return None


def request_for(order_id: str, wish: Wish, state: State) -> m.ProviderRequest:
    reference = wish.reference or ("" if wish.step == "authorize" else state.reference)
    return m.ProviderRequest(
        wish.step,
        wish.key,
        order_id,
        wish.amount,
        wish.payment_method,
        reference,
        wish.subject,
        wish.final,
        wish.step == "authorize" and state.off_session(wish),
    )


def _why_not_captured(wish: Wish, state: State) -> str:
    if state.voided:
        return "authorization_voided"
    if state.expired:
        return "authorization_expired"
    if state.authorized is None:
        return "not_authorized"
    others = sum(
        one.amount.amount_minor
        for name, one in state.pending.items()
        if name[0] == "capture" and name[1] != wish.subject
    )
    return "exceeds_authorized" if wish.amount.amount_minor > state.held - others else ""


def _known(state: State, step: m.Step, subject: str, again: int) -> bool:
    """Whether it was made, is under way, or has failed as often as whoever asks knows."""
    name = (step, subject)
    return name in state.done or name in state.pending or again < state.failures.get(name, 0)


def _key(command: m.PaymentCommand, verb: str, command_id: str) -> str:
    return f"{command.order_id}/{verb}/{command_id}"


def _currency(state: State) -> str:
    return state.authorized.currency if state.authorized else ""
