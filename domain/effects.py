"""What a deadline that a person waits for will do, in words; the others are nobody's concern."""

from collections.abc import Mapping
from typing import NamedTuple

from domain import deadlines
from domain.order import messages as order
from domain.payment import messages as payment


class Effect(NamedTuple):
    """`kind` is for programs, `text` for people. Both are public: the API serves them."""

    kind: str
    text: str


_FIXED: Mapping[str, Effect] = {
    deadlines.EXPIRE: Effect(
        "expire_unpaid", "the order expires unless it is paid: its stock is released"
    ),
    deadlines.EXPIRE_AT_LAST: Effect(
        "end_payment_window",
        "the order expires unless it is paid; a payment that is under way is the last one",
    ),
    deadlines.EXPIRE_BACKORDER: Effect(
        "expire_backorder", "the order is given up unless its goods have come"
    ),
    deadlines.COMPLETE: Effect(
        "complete_order", "the return window ends: the order is completed unless something is open"
    ),
    deadlines.AUTHENTICATE: Effect(
        "expire_authentication", "the payment fails unless the customer has confirmed it"
    ),
    deadlines.RENEW: Effect("renew_authorization", "the authorisation is renewed"),
}
_REFUSE = f"{order.RefuseReturn.kind}/"
_RETRY = f"{payment.RetryPayment.kind}/"


def effect_of(name: str) -> Effect | None:
    """What the timer of this name will do; None when no person waits for it."""
    if name.startswith(_REFUSE):
        number = name.removeprefix(_REFUSE)
        return Effect("refuse_return", f"return {number} is refused unless its goods have come")
    if name.startswith(_RETRY):
        step, _, subject = name.removeprefix(_RETRY).partition("/")
        if step == "void" and subject:
            given_up = "what an attempt that was given up may still hold is voided"
            return Effect("void_given_up", given_up)
        return Effect("retry_payment", f"the payment provider is asked again to {step}")
    return _FIXED.get(name)
