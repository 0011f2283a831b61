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
VOIDED = ProviderAnswer("declined", code="authorization_voided")
TOO_LATE = ProviderAnswer("declined", code="authentication_expired", retryable=True)
APPROVED = ProviderAnswer("approved")


@dataclass(frozen=True)
class Periods:
    """How long a hold lasts, and how long a customer may take for 3-D Secure; `off_session` when
    they were told of it by mail."""

    hold: timedelta = timedelta(days=7)
    challenge: timedelta = timedelta(minutes=9)
    off_session: timedelta = timedelta(hours=21)


@dataclass
class Challenge:
    """An authorisation that waits for the customer; `settled` once they came back."""

    amount_minor: int
    lapses_at: datetime
    settled: ProviderAnswer | None = None


@dataclass
class Hold:
    """What can still be captured of one authorisation."""

    amount_minor: int
    lapses_at: datetime


@dataclass
class Account:
    """What the provider knows of one order, in minor units; holds by their reference.

    `keys` find the reference of an authorisation whose answer never came.
    """

    holds: dict[str, Hold] = field(default_factory=dict[str, Hold])
    keys: dict[str, str] = field(default_factory=dict[str, str])
    captured: int = 0
    refunded: int = 0
    challenges: dict[str, Challenge] = field(default_factory=dict[str, Challenge])

    def named(self, reference: str) -> str:
        """The hold that a request means; one that names none means the newest."""
        if not reference:
            return next(reversed(self.holds), "")
        return self.keys.get(reference, reference)

    def held(self, at: datetime) -> int:
        """All that is held of the customer's money."""
        return sum(one.amount_minor for one in self.holds.values() if one.lapses_at > at)


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
        case "capture":
            return _captured(amount, account.holds.get(account.named(request.reference)), at)
        case "refund" if amount > account.captured - account.refunded:
            return ProviderAnswer("declined", code="more_than_captured")
        case _:
            return APPROVED


def _captured(amount: int, hold: Hold | None, at: datetime) -> ProviderAnswer:
    if hold is not None and hold.lapses_at <= at:
        return ProviderAnswer("declined", code="authorization_expired")
    if hold is None or amount > hold.amount_minor:
        return ProviderAnswer("declined", code="more_than_authorized")
    return APPROVED


def _confirmed(challenge: Challenge, at: datetime) -> ProviderAnswer:
    if challenge.settled is not None:
        return challenge.settled
    return TOO_LATE if challenge.lapses_at <= at else ProviderAnswer("action_required")
