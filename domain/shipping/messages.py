"""Commands and events of shipping. The names are the wire and storage format."""

from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct

from domain.message import MAIN, Command, Event, Instant, LineQuantity

ScanStatus = Literal[
    "handed_over", "in_transit", "attempt_failed", "delivered", "lost", "returned_to_sender"
]


MOST_REFUSALS = 3


class ParcelCommand(Command, frozen=True):
    """`parcel_id` is `<order>.<n>`; the key is the order, the stream the parcel's."""

    context: ClassVar[str] = "shipping"
    order_id: str
    parcel_id: str

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def stream(self) -> str:
        return f"shipment-{self.parcel_id}"


class CreateShipment(ParcelCommand, frozen=True):
    kind: ClassVar[str] = "quire.shipping.create"
    lines: tuple[LineQuantity, ...]
    contact: str = ""
    customer_id: str = ""
    warehouse: str = MAIN


class RecordScan(ParcelCommand, frozen=True):
    """A carrier's scan; they come twice and out of order. `at` is the carrier's time."""

    kind: ClassVar[str] = "quire.shipping.record_scan"
    scan_id: str
    status: ScanStatus
    at: Instant
    place: str = ""


class PollCarrier(ParcelCommand, frozen=True):
    """Timer: ask the carrier for the parcel's next scan."""

    kind: ClassVar[str] = "quire.shipping.poll_carrier"


class RetryLabel(ParcelCommand, frozen=True):
    """A person has seen to what the carrier refused: ask for the label once more."""

    kind: ClassVar[str] = "quire.shipping.retry_label"


class CancelShipment(ParcelCommand, frozen=True):
    """Takes `lines` out of the parcel for cancellation number `cancellation` of the order."""

    kind: ClassVar[str] = "quire.shipping.cancel"
    lines: tuple[LineQuantity, ...]
    cancellation: int


class ReceiveReturn(Command, frozen=True):
    """Returned goods came in and were looked at; its parcel is `<order>.r<return_no>`.

    `unsellable` is what of `lines` is paid back and does not go back on the shelf.
    """

    kind: ClassVar[str] = "quire.shipping.receive_return"
    context: ClassVar[str] = "shipping"
    order_id: str
    return_no: int
    lines: tuple[LineQuantity, ...]
    condition: str = ""
    unsellable: tuple[LineQuantity, ...] = ()

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def stream(self) -> str:
        return f"shipment-{self.order_id}.r{self.return_no}"


class CarrierRequest(Struct, frozen=True):
    """What the decider wants to ask the carrier: a label, or the next scan after `scans` scans.

    The carrier fetches the parcel at `warehouse`.
    """

    step: Literal["label", "scan"]
    key: str
    parcel_id: str
    tracking: str = ""
    scans: int = 0
    units: int = 0
    warehouse: str = MAIN


class CarrierAnswer(Struct, frozen=True, omit_defaults=True):
    """A label (`tracking`), or a scan (`status`, `at`); `next_at`: when to ask again, if ever.

    `refused` when it will not have the parcel as it is. `code` says why it was not reached, or why
    it refuses.
    """

    outcome: Literal["ok", "nothing_yet", "unreachable", "refused"]
    carrier: str = ""
    tracking: str = ""
    scan_id: str = ""
    status: ScanStatus | None = None
    at: datetime | None = None
    place: str = ""
    next_at: datetime | None = None
    code: str = ""


class Answered(Struct, frozen=True):
    """A command together with the carrier's answer to it; `now` is when the answer came.

    A label that was refused `most_refusals` times is not asked for again.
    """

    command: ParcelCommand
    request: CarrierRequest
    answer: CarrierAnswer
    now: datetime
    most_refusals: int = MOST_REFUSALS


class ParcelEvent(Event, frozen=True):
    order_id: str
    parcel_id: str

    @property
    def stream(self) -> str:
        return f"shipment-{self.parcel_id}"


class ShipmentCreated(ParcelEvent, frozen=True):
    """`next_poll` is when the carrier is asked for a scan; without it scans come by themselves."""

    type: ClassVar[str] = "quire.shipping.created.v1"
    lines: tuple[LineQuantity, ...]
    carrier: str = ""
    tracking: str = ""
    next_poll: datetime | None = None


class ShipmentDeferred(ParcelEvent, frozen=True):
    """The carrier was not reached (`code`) or had nothing new; asked again at `next_poll`.

    `scan_id` is the scan that the carrier told and that had come before. `refusals` counts how
    often a label was refused.
    """

    type: ClassVar[str] = "quire.shipping.deferred.v1"
    step: Literal["label", "scan"]
    next_poll: datetime
    lines: tuple[LineQuantity, ...] = ()
    tries: int = 1
    scan_id: str = ""
    warehouse: str = MAIN
    code: str = ""
    refusals: int = 0


class ShipmentRefused(ParcelEvent, frozen=True):
    """The carrier will not have the parcel: a person asks for its label again, or cancels it.

    `refusals` counts the answers, `code` is the last one's reason.
    """

    type: ClassVar[str] = "quire.shipping.refused.v1"
    code: str
    refusals: int
    lines: tuple[LineQuantity, ...]
    warehouse: str = MAIN


class ScanEvent(ParcelEvent, frozen=True):
    """What every scan carries."""

    scan_id: str
    at: datetime
    place: str = ""
    next_poll: datetime | None = None


class ShipmentHandedOver(ScanEvent, frozen=True):
    type: ClassVar[str] = "quire.shipping.handed_over.v1"


class ShipmentMoved(ScanEvent, frozen=True):
    """Also a scan that came late: it is kept and moves nothing."""

    type: ClassVar[str] = "quire.shipping.moved.v1"
    status: ScanStatus = "in_transit"


class DeliveryAttemptFailed(ScanEvent, frozen=True):
    type: ClassVar[str] = "quire.shipping.attempt_failed.v1"


class ShipmentDelivered(ScanEvent, frozen=True):
    type: ClassVar[str] = "quire.shipping.delivered.v1"


class ShipmentLost(ScanEvent, frozen=True):
    type: ClassVar[str] = "quire.shipping.lost.v1"


class ShipmentReturned(ScanEvent, frozen=True):
    """Returned to sender."""

    type: ClassVar[str] = "quire.shipping.returned.v1"


class ShipmentCancelled(ParcelEvent, frozen=True):
    """`lines` are out of the parcel; `whole` when nothing is left (also the tombstone)."""

    type: ClassVar[str] = "quire.shipping.cancelled.v1"
    lines: tuple[LineQuantity, ...]
    cancellation: int
    whole: bool


class ShipmentKept(ParcelEvent, frozen=True):
    """The parcel had left when the cancellation came."""

    type: ClassVar[str] = "quire.shipping.kept.v1"
    cancellation: int


class ReturnReceived(Event, frozen=True):
    type: ClassVar[str] = "quire.shipping.return_received.v1"
    order_id: str
    return_no: int
    lines: tuple[LineQuantity, ...]
    condition: str = ""
    unsellable: tuple[LineQuantity, ...] = ()

    @property
    def stream(self) -> str:
        return f"shipment-{self.order_id}.r{self.return_no}"
