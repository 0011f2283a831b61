"""The world outside in memory: a provider and a carrier that do as they are told."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from domain.message import Money
from domain.payment.messages import ProviderAnswer, ProviderRequest, RecordProviderNotice
from domain.payment.state import RENEWAL
from domain.shipping.messages import CarrierAnswer, CarrierRequest, ScanStatus

HOLD = timedelta(days=7)


class Charge(NamedTuple):
    key: str
    step: str
    order_id: str
    minor: int
    subject: str = ""


@dataclass
class Hold:
    """What can still be captured of one authorisation."""

    order_id: str
    minor: int
    lapses_at: datetime


@dataclass
class Challenge:
    """A customer who is asked to confirm, under the key of the authorisation."""

    order_id: str
    key: str
    amount: Money
    became: Literal["open", "confirmed", "refused", "voided"] = "open"


class Provider:
    """Says what `script` holds next, else what its books allow; a key is never done twice.

    Words: approve, decline, decline_retryable, action, unreachable, lost (it was not done),
    done (it was done, and the answer was lost). Until `down_until` it is not reached at all.
    `notices` are the webhooks of all that it did, in that order; who delivers them, and when, and
    how often, is the test's business. `kept` are the holds that it was asked to let go, in vain.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.script: deque[str] = deque()
        self.down_until = datetime.min.replace(tzinfo=UTC)
        self.ledger: dict[str, Charge] = {}
        self.holds: dict[str, Hold] = {}
        self.challenges: dict[str, Challenge] = {}
        self.notices: list[RecordProviderNotice] = []
        self.kept: set[str] = set()
        self._keys: dict[str, str] = {}

    def perform(self, request: ProviderRequest) -> ProviderAnswer:
        answer = self._answer(request)
        if request.step == "void":
            reference = self._keys.get(request.reference, request.reference)
            failed = answer.outcome != "approved"
            self.kept = self.kept | {reference} if failed else self.kept - {reference}
        return answer

    def _answer(self, request: ProviderRequest) -> ProviderAnswer:
        if self.clock() < self.down_until:
            return ProviderAnswer("unreachable")
        word = self.script.popleft() if self.script else "approve"
        if word == "unreachable":
            return ProviderAnswer("unreachable")
        if word == "lost":
            return ProviderAnswer("unknown")
        if request.key in self.ledger:
            return ProviderAnswer("approved", self._keys.get(request.key, f"ref-{request.key}"))
        if word == "decline":
            return ProviderAnswer("declined", code="card_declined")
        if word == "decline_retryable":
            return ProviderAnswer("declined", code="insufficient_funds", retryable=True)
        answer = self._by_the_books(request, asks_customer=word == "action")
        return ProviderAnswer("unknown") if word == "done" else answer

    def customer(self, reference: str, *, confirms: bool) -> None:
        """The customer of a challenge makes up their mind at the provider's own page."""
        asked = self.challenges[reference]
        if asked.became != "open":
            return
        asked.became = "confirmed" if confirms else "refused"
        if confirms:
            self._authorize(asked.key, reference, asked.order_id, asked.amount)
        else:
            self._tell(asked.order_id, reference, "declined", asked.amount)

    def total(self, step: str, order_id: str) -> int:
        """What the provider's own books say."""
        return sum(
            one.minor
            for one in self.ledger.values()
            if one.step == step and one.order_id == order_id
        )

    def by_subject(self, step: str, order_id: str) -> dict[str, int]:
        """The same by what it was for: parcels of captures, names of refunds."""
        found: dict[str, int] = {}
        for one in self.ledger.values():
            if one.step == step and one.order_id == order_id:
                found[one.subject] = found.get(one.subject, 0) + one.minor
        return found

    def left(self, order_id: str) -> list[str]:
        """What was held, and neither taken nor let go, though it may have lapsed by now."""
        return [name for name, one in self.holds.items() if one.order_id == order_id and one.minor]

    def _by_the_books(self, request: ProviderRequest, *, asks_customer: bool) -> ProviderAnswer:
        match request.step:
            case "authorize":
                return self._asked_to_hold(request, asks_customer=asks_customer)
            case "capture":
                return self._capture(request)
            case "void":
                return self._void(request)
            case "refund":
                taken = self.total("capture", request.order_id)
                if request.amount.amount_minor > taken - self.total("refund", request.order_id):
                    return ProviderAnswer("declined", code="more_than_captured")
                return self._done(request, f"ref-{request.key}", "refunded")

    def _asked_to_hold(self, request: ProviderRequest, *, asks_customer: bool) -> ProviderAnswer:
        challenge = self.challenges.get(request.reference)
        if challenge is not None and request.subject != RENEWAL:
            if challenge.became in ("refused", "voided"):
                return ProviderAnswer("declined", code="authentication_failed", retryable=True)
            self.customer(request.reference, confirms=True)  # who comes back has confirmed
            return ProviderAnswer("approved", request.reference)
        if asks_customer and request.subject != RENEWAL:
            reference = f"auth-{request.key}"
            self.challenges[reference] = Challenge(request.order_id, request.key, request.amount)
            return ProviderAnswer("action_required", reference, url="https://3ds.test")
        if asks_customer:
            return ProviderAnswer("action_required", "auth-renewal", url="https://3ds.test")
        reference = request.reference or f"ref-{request.key}"
        self._authorize(request.key, reference, request.order_id, request.amount)
        return ProviderAnswer("approved", reference)

    def _authorize(self, key: str, reference: str, order_id: str, amount: Money) -> None:
        self.ledger[key] = Charge(key, "authorize", order_id, amount.amount_minor)
        self.holds[reference] = Hold(order_id, amount.amount_minor, self.clock() + HOLD)
        self._keys[key] = reference
        self._tell(order_id, reference, "authorized", amount)

    def _capture(self, request: ProviderRequest) -> ProviderAnswer:
        hold = self.holds.get(request.reference)
        if hold is not None and hold.lapses_at <= self.clock():
            return ProviderAnswer("declined", code="authorization_expired")
        if hold is None or request.amount.amount_minor > hold.minor:
            return ProviderAnswer("declined", code="more_than_authorized")
        hold.minor = 0 if request.final else hold.minor - request.amount.amount_minor
        return self._done(request, request.reference, "captured")

    def _void(self, request: ProviderRequest) -> ProviderAnswer:
        reference = self._keys.get(request.reference, request.reference)
        if reference in self.holds:
            self.holds[reference].minor = 0
        if reference in self.challenges and self.challenges[reference].became == "open":
            self.challenges[reference].became = "voided"
        return self._done(request, reference, "voided")

    def _done(self, request: ProviderRequest, reference: str, status: str) -> ProviderAnswer:
        key, amount = request.key, request.amount
        self.ledger[key] = Charge(
            key, request.step, request.order_id, amount.amount_minor, request.subject
        )
        self._tell(request.order_id, reference, status, amount)
        return ProviderAnswer("approved", reference)

    def _tell(self, order_id: str, reference: str, status: str, amount: Money) -> None:
        number = f"ntc-{len(self.notices) + 1}"
        notice = RecordProviderNotice(order_id, number, reference, status, amount, self.clock())
        self.notices.append(notice)


class Carrier:
    """Each poll gives the next status of `journey`, in the end `delivered`; a parcel can have a
    journey of its own in `journeys`.

    Words of `script` come first: ok, unreachable, nothing_yet, refused.
    """

    def __init__(self) -> None:
        self.script: deque[str] = deque()
        self.journey: tuple[ScanStatus, ...] = ("handed_over", "in_transit", "delivered")
        self.journeys: dict[str, tuple[ScanStatus, ...]] = {}
        self.pause = timedelta(hours=6)

    def perform(self, request: CarrierRequest, now: datetime) -> CarrierAnswer:
        word = self.script.popleft() if self.script else "ok"
        if word == "unreachable":
            return CarrierAnswer("unreachable")
        if word == "refused":
            return CarrierAnswer("refused", code="address_not_known")
        if request.step == "label":
            tracking = f"T-{request.parcel_id}"
            return CarrierAnswer("ok", "test", tracking, next_at=now + self.pause)
        if word == "nothing_yet":
            return CarrierAnswer("nothing_yet", next_at=now + self.pause)
        journey = self.journeys.get(request.parcel_id, self.journey)
        status = journey[request.scans] if request.scans < len(journey) else "delivered"
        return CarrierAnswer(
            "ok",
            "test",
            request.tracking,
            f"{request.parcel_id}-{request.scans}",
            status,
            now,
            "Hub",
            now + self.pause,
        )
