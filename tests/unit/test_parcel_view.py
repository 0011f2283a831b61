"""Where people see a parcel is where the domain says it is, in whatever order its scans came."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from domain.message import Line, LineQuantity, Money, Parcel
from domain.order import messages as order
from domain.shipping import messages as shipping
from domain.shipping.decider import decider
from store.log import Recorded
from store.views import orders
from store.views.compare import _readable  # pyright: ignore[reportPrivateUsage]
from store.views.document import OrderDocument, encode

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
EURO = Money(1, "EUR")
LINES = (LineQuantity(1, "mug", 1),)
P = ("o-1", "o-1.1")
STOPS: tuple[tuple[shipping.ScanStatus, int], ...] = (
    ("handed_over", 5),  # the clock of the first scanner is ahead
    ("in_transit", 2),
    ("attempt_failed", 2),
    ("in_transit", 1),
    ("lost", 4),
)


def recorded(position: int) -> Recorded:
    nothing = dict.fromkeys(Recorded._fields)
    known = {"position": position, "occurred_at": NOON, "imported": False}
    return Recorded(**{**nothing, **known})  # pyright: ignore[reportArgumentType]


def test_a_row_from_before_a_field_was_added_is_no_difference():
    placed = order.OrderPlaced("o-1", (Line(1, "mug", 1, EURO),), EURO)
    confirmed = order.OrderConfirmed("o-1", EURO, (Parcel("o-1.1", LINES),))
    document: OrderDocument | None = None
    for fact in (placed, confirmed):
        document = orders.step(document, fact, recorded(1))
    assert document is not None
    now = encode(document)
    before = now.replace(',"warehouse":"main"', "").replace(',"written_off":0', "")
    assert now != before
    assert _readable(["document"], [before]) == _readable(["document"], [now])
    assert _readable(["document"], [before.replace("planned", "lost")]) != _readable(
        ["document"], [now]
    )


def test_the_view_says_what_the_domain_says():
    scans = [
        shipping.RecordScan(*P, f"s-{number}", status, NOON + timedelta(minutes=minute))
        for number, (status, minute) in enumerate(STOPS)
    ]
    placed = order.OrderPlaced("o-1", (Line(1, "mug", 1, EURO),), EURO)
    confirmed = order.OrderConfirmed("o-1", EURO, (Parcel("o-1.1", LINES),))
    created = shipping.ShipmentCreated(*P, LINES)
    for some in (scans[:4], scans):
        seen: set[str] = set()
        for sent in permutations(some):
            document: OrderDocument | None = None
            state = decider.fold([created])
            for fact in (placed, confirmed, created):
                document = orders.step(document, fact, recorded(1))
            for scan in sent:
                for fact in decider.decide(scan, state):
                    state = decider.evolve(state, fact)
                    document = orders.step(document, fact, recorded(1))
            assert document is not None
            assert document.parcels[0].status == state.status
            seen.add(state.status)
        assert seen == {"lost" if len(some) == len(scans) else "attempt_failed"}
