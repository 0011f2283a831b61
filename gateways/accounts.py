"""What a payment provider allows: the rules of the simulator, one account an order."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.payment.messages import ProviderAnswer, ProviderRequest

RENEWAL = "renewal"
NEEDS_CUSTOMER = "tok_3ds"
DECLINES = {
    "tok_decline": ProviderAnswer("declined", code="card_declined"),
    "tok_decline_insufficient": ProviderAnswer(
        "declined", code="insufficient_funds", retryable=True
    ),
}
REFUSED_BY_CUSTOMER = ProviderAnswer("declined", code="authentication_failed", retryable=True)
TOO_LATE = ProviderAnswer("declined", code="authentication_expired", retryable=True)
APPROVED = ProviderAnswer("approved")


@dataclass(frozen=True)
class Periods:
    """How long a hold lasts, and how long a customer may take for 3-D Secure."""

    hold: timedelta = timedelta(days=7)
    challenge: timedelta = timedelta(minutes=9)


@dataclass
class Challenge:
    """An authorisation that waits for the customer; `settled` once they came back."""

    amount_minor: int
    lapses_at: datetime
    settled: ProviderAnswer | None = None


@dataclass
class Account:
    """What the provider knows of one order, in minor units."""

    held: int = 0
    lapses_at: datetime | None = None
    captured: int = 0
    refunded: int = 0
    challenges: dict[str, Challenge] = field(default_factory=dict[str, Challenge])


def confirms(request: ProviderRequest, account: Account) -> bool:
    """Whether it asks what became of a challenge; a renewal names a reference as well."""
    return (
        request.step == "authorize"
        and request.subject != RENEWAL
        and request.reference in account.challenges
    )


def answer(request: ProviderRequest, account: Account, at: datetime) -> ProviderAnswer:
    """Decide one request; nothing is done yet."""
    amount = request.amount.amount_minor
    match request.step:
        case "authorize" if confirms(request, account):
            return _confirmed(account.challenges[request.reference], at)
        case "authorize" if request.payment_method == NEEDS_CUSTOMER:
            return ProviderAnswer("action_required")
        case "authorize":
            return DECLINES.get(request.payment_method, APPROVED)
        case "capture" if account.lapses_at is not None and account.lapses_at <= at:
            return ProviderAnswer("declined", code="authorization_expired")
        case "capture" if amount > account.held:
            return ProviderAnswer("declined", code="more_than_authorized")
        case "refund" if amount > account.captured - account.refunded:
            return ProviderAnswer("declined", code="more_than_captured")
        case _:
            return APPROVED


def _confirmed(challenge: Challenge, at: datetime) -> ProviderAnswer:
    if challenge.settled is not None:
        return challenge.settled
    return TOO_LATE if challenge.lapses_at <= at else ProviderAnswer("action_required")
