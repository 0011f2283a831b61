"""The world outside in memory: a provider and a carrier that do as they are told."""

from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.payment.messages import ProviderAnswer, ProviderRequest
from domain.shipping.messages import CarrierAnswer, CarrierRequest, ScanStatus


class Charge(NamedTuple):
    key: str
    step: str
    order_id: str
    minor: int
    subject: str = ""


class Provider:
    """Says what `script` holds next, else yes; a key that was done once is never done twice.

    Words: approve, decline, decline_retryable, action, unreachable, lost (it was not done),
    done (it was done, and the answer was lost).
    """

    def __init__(self) -> None:
        self.script: deque[str] = deque()
        self.ledger: dict[str, Charge] = {}

    def perform(self, request: ProviderRequest) -> ProviderAnswer:
        word = self.script.popleft() if self.script else "approve"
        if word == "unreachable":
            return ProviderAnswer("unreachable")
        if word == "lost":
            return ProviderAnswer("unknown")
        if request.key in self.ledger:
            return ProviderAnswer("approved", f"ref-{request.key}")
        if word == "decline":
            return ProviderAnswer("declined", code="card_declined")
        if word == "decline_retryable":
            return ProviderAnswer("declined", code="insufficient_funds", retryable=True)
        if word == "action" and request.step == "authorize" and not request.reference:
            return ProviderAnswer("action_required", f"auth-{request.key}", url="https://3ds.test")
        self.ledger[request.key] = Charge(
            request.key,
            request.step,
            request.order_id,
            request.amount.amount_minor,
            request.subject,
        )
        if word == "done":
            return ProviderAnswer("unknown")
        return ProviderAnswer("approved", f"ref-{request.key}")

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


class Carrier:
    """Each poll gives the next status of `journey`, in the end `delivered`; a parcel can have a
    journey of its own in `journeys`.

    Words of `script` come first: ok, unreachable, nothing_yet.
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
