"""From an event to what it asks for: one small mapper a kind, all of them here.

A plain record is known by its topic, a CloudEvent by its type. Pure: nothing is looked up.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct

from api.forms import LARGEST
from api.intake.reading import Received
from api.problems import Problem
from api.wanted import Wanted
from domain.message import Instant
from domain.shipping.messages import ScanStatus

PLAIN = "dev.knative.kafka.event"
ORDER = "partner.order.v1"
SCAN = "partner.scan.v1"
GOODS_RECEIPT = "partner.goods-receipt.v1"
OF_TOPIC: Mapping[str, str] = {
    "partner.orders": ORDER,
    "partner.scans": SCAN,
    "partner.goods-receipts": GOODS_RECEIPT,
}
"""What a plain record of each topic is."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(days=1)

_PLACE = re.compile(r"partition:(\d{1,10})(?:/offset:|#)(\d{1,19})")

Name = Annotated[str, Meta(min_length=1, max_length=200)]
S = TypeVar("S")


class Scan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A carrier's scan, of a parcel known by its tracking number or by our own id."""

    status: ScanStatus
    at: Instant
    tracking: Annotated[str, Meta(max_length=200)] = ""
    parcel_id: Annotated[str, Meta(max_length=200)] = ""
    scan_id: Annotated[str, Meta(max_length=200)] = ""
    place: Annotated[str, Meta(max_length=200)] = ""

    @property
    def name(self) -> str:
        """The scan's id; one without is known by what it says, however often it is said."""
        return self.scan_id or f"{self.status}-{self.at.astimezone(UTC).isoformat()}"


class ReceivedLine(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Annotated[str, Meta(min_length=1, max_length=100)]
    quantity: Annotated[int, Meta(ge=1, le=LARGEST)]


class GoodsReceipt(Struct, frozen=True, forbid_unknown_fields=True):
    """Goods that came in together; a sku may stand there more than once.

    `uncatalogued` when the catalogue comes later.
    """

    lines: Annotated[list[ReceivedLine], Meta(min_length=1, max_length=1000)]
    reference: Annotated[str, Meta(max_length=1000)] = ""
    uncatalogued: bool = False

    @property
    def by_sku(self) -> dict[str, int]:
        """How many of each sku, in the order in which they are named."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.sku] = found.get(line.sku, 0) + line.quantity
        return found


Asked = Wanted | Scan | GoodsReceipt


def commands_of(asked: Asked) -> int:
    """How many commands come of an event."""
    return len(asked.by_sku) if isinstance(asked, GoodsReceipt) else 1


class Place(NamedTuple):
    """Where a plain record stood."""

    source: str
    topic: str
    at: str


def asked(event: Received) -> Asked:
    """What the event asks for; raises a Problem with 422 that says what does not fit."""
    kind = event.type
    if kind == PLAIN:
        topic = place_of(event).topic
        if topic not in OF_TOPIC:
            raise Problem(
                422,
                "topic_unknown",
                f"records of the topic {topic[:100]!r} are not known",
                hint=f"Known are {', '.join(OF_TOPIC)}; others have to be CloudEvents.",
            )
        kind = OF_TOPIC[topic]
    mapper = MAPPERS.get(kind)
    if mapper is None:
        raise Problem(
            422,
            "event_type_unknown",
            f"events of the type {kind[:100]!r} are not known",
            hint=f"Known are {', '.join(MAPPERS)}.",
        )
    return mapper(event.data)


def place_of(event: Received) -> Place:
    """Source, topic and place of a plain record, in KafkaSource's way of writing them.

    Its `source` is `/apis/v1/namespaces/<namespace>/kafkasources/<name>#<topic>`, its id
    `partition:<p>/offset:<o>`; both stand in extensions too. An extension `sourcename` names the
    source where its address may change.
    """
    source, _, topic = event.source.rpartition("#")
    told = event.extensions
    partition = told.get("knativekafkapartition", "")
    offset = told.get("knativekafkaoffset", "")
    if not (partition.isdecimal() and offset.isdecimal()):
        found = _PLACE.search(event.id) or _PLACE.search(event.subject)
        if found is None:
            raise Problem(
                422, "place_unknown", "a plain record has to say its partition and its offset"
            )
        partition, offset = found[1], found[2]
    return Place(told.get("sourcename") or source, topic, f"{int(partition)}/{int(offset)}")


def _order(data: Any) -> Wanted:
    return _converted(data, Wanted)


def _scan(data: Any) -> Scan:
    scan = _converted(data, Scan)
    if not scan.tracking and not scan.parcel_id:
        raise _unfit("a scan names its parcel by tracking or by parcel_id")
    if scan.parcel_id and not all(scan.parcel_id.rpartition(".")):
        raise _unfit("a parcel_id is an order's id, a point and a number")
    if not EARLIEST <= scan.at <= datetime.now(UTC) + CLOCKS_DIFFER:
        raise _unfit("the time of a scan lies before 2000 or in the future")
    _refuse_unprintable(scan.tracking, scan.parcel_id, scan.scan_id, scan.place)
    return scan


def _goods_receipt(data: Any) -> GoodsReceipt:
    receipt = _converted(data, GoodsReceipt)
    _refuse_unprintable(receipt.reference, *receipt.by_sku)
    if any(quantity > LARGEST for quantity in receipt.by_sku.values()):
        raise _unfit("the quantity of a sku does not fit 64 bits")
    return receipt


MAPPERS: Mapping[str, Callable[[Any], Asked]] = {
    ORDER: _order,
    SCAN: _scan,
    GOODS_RECEIPT: _goods_receipt,
}


def _converted(data: Any, shape: type[S]) -> S:
    if data is None:
        raise Problem(422, "data_missing", "the event has no data")
    try:
        return msgspec.convert(data, shape)
    except (msgspec.ValidationError, OverflowError) as wrong:
        raise _unfit(str(wrong)) from wrong


def _refuse_unprintable(*texts: str) -> None:
    if not all(text.isprintable() for text in texts):
        raise _unfit("ids must not contain control characters")


def _unfit(detail: str) -> Problem:
    return Problem(
        422, "data_not_valid", detail, hint="docs/api.md shows what each kind of event holds."
    )
