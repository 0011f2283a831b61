"""The carrier: labels, and scans for those who ask."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from domain.shipping.messages import CarrierAnswer, CarrierRequest, ScanStatus


class Carrier(Protocol):
    """Answers each request; the same key gets the same label.

    It may take its time or raise: `GuardedCarrier` stands before it.
    """

    async def perform(self, request: CarrierRequest) -> CarrierAnswer: ...


_WAY: tuple[tuple[ScanStatus, str], ...] = (
    ("handed_over", "warehouse"),
    ("in_transit", "sorting centre"),
    ("delivered", "front door"),
)


LAST_PLACE = 3


class SimulatedCarrier:
    """Hands over, moves and delivers each parcel, a step every `step_seconds`.

    The first parcel of an order leaves after a step, the second after two, the others after three.
    `paused`: labels are made, and no scan ever comes by itself. It fetches nothing at a warehouse
    that is `refused`; with `:first` behind its name only until a person asks again.
    """

    def __init__(
        self, *, step_seconds: float, paused: bool = False, refused: Collection[str] = ()
    ) -> None:
        self._step = timedelta(seconds=step_seconds)
        self._paused = paused
        self._refused = refused

    async def perform(self, request: CarrierRequest) -> CarrierAnswer:
        now = datetime.now(UTC)
        again = None if self._paused else now + self._step
        tracking = request.tracking or f"SIM{sha256(request.parcel_id.encode()).hexdigest()[:12]}"
        if request.step == "label" and self._refuses(request):
            return CarrierAnswer("refused", carrier="simulated", code="warehouse_not_served")
        if request.step == "label":
            fetched = again and again + (_place(request.parcel_id) - 1) * self._step
            return CarrierAnswer("ok", carrier="simulated", tracking=tracking, next_at=fetched)
        if request.scans >= len(_WAY):
            return CarrierAnswer("nothing_yet", carrier="simulated", tracking=tracking)
        status, place = _WAY[request.scans]
        last = request.scans == len(_WAY) - 1
        return CarrierAnswer(
            "ok",
            carrier="simulated",
            tracking=tracking,
            scan_id=f"{tracking}-{request.scans + 1}",
            status=status,
            at=now,
            place=place,
            next_at=None if last else again,
        )

    def _refuses(self, request: CarrierRequest) -> bool:
        """Whoever asks again, once it was given up, does so under another key than the first."""
        if f"{request.warehouse}:first" in self._refused:
            return request.key == f"{request.parcel_id}/label"
        return request.warehouse in self._refused


def _place(parcel_id: str) -> int:
    """After how many steps the parcel is fetched: not all of an order are packed at once."""
    _, _, number = parcel_id.rpartition(".")
    return min(int(number), LAST_PLACE) if number.isdigit() else 1
