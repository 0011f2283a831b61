"""The parcel's rules, one sentence each."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from domain.message import LineQuantity
from domain.payment.messages import RecordProviderNotice
from domain.shipping import messages as m
from domain.shipping.decider import ask, decider
from domain.shipping.evolve import IMPLIED, RANK, place_of
from domain.shipping.state import State
from tests.shop import pounds
from tests.spec import NOON, Spec

given = Spec(decider, ask, m.Answered).given

P = ("o-1", "o-1.1")
LINES = (LineQuantity(1, "mug", 2),)
CREATE = m.CreateShipment(*P, LINES)
CREATED = m.ShipmentCreated(*P, LINES, "test", "T-1", NOON)
LABEL = m.CarrierAnswer("ok", "test", "T-1", next_at=NOON)
HANDED = m.ShipmentHandedOver(*P, "s-1", NOON)


def scan(number: int, status: m.ScanStatus, minutes: int = 0) -> m.RecordScan:
    return m.RecordScan(*P, f"s-{number}", status, NOON + timedelta(minutes=minutes))


def test_a_label_makes_the_shipment():
    given().when(CREATE, LABEL).then(CREATED)


def test_a_carrier_that_is_away_is_asked_again():
    away = given().when(CREATE, m.CarrierAnswer("unreachable")).then_types(m.ShipmentDeferred)
    away.when(m.PollCarrier(*P), LABEL).then(CREATED)


def test_a_label_whose_answer_was_lost_is_asked_for_again_under_the_same_key():
    create = m.CreateShipment(*P, LINES, warehouse="north")
    lost = m.CarrierAnswer("unreachable", code="no_answer_in_time")
    asked = given().when(create, lost)
    again = asked.then(
        m.ShipmentDeferred(
            *P, "label", NOON + timedelta(seconds=5), LINES, warehouse="north", code=lost.code
        )
    ).when(m.PollCarrier(*P), LABEL, command_id="c-9")
    assert again.request == asked.request
    again.then(CREATED)


def refused(times: int) -> Any:
    """After so many answers, of which three are allowed."""
    no = m.CarrierAnswer("refused", code="address_not_known")
    asked = given().when(m.CreateShipment(*P, LINES, warehouse="north"), no)
    for _ in range(times - 1):
        asked = asked.then_types(m.ShipmentDeferred).when(m.PollCarrier(*P), no)
    return asked


REFUSED = m.ShipmentRefused(*P, "address_not_known", 3, LINES, "north")


def test_a_label_that_is_refused_again_and_again_waits_for_a_person():
    waits = refused(3).then(REFUSED)
    waits.when(m.PollCarrier(*P)).then_nothing()
    waits.when(CREATE).then_nothing()


def test_what_was_refused_once_may_be_a_mistake_of_the_carrier():
    refused(2).then_types(m.ShipmentDeferred).when(m.PollCarrier(*P), LABEL).then(CREATED)


def test_a_person_has_it_asked_for_again_under_another_key():
    again = refused(3).then(REFUSED).when(m.RetryLabel(*P), LABEL)
    first = given().when(CREATE, LABEL).request
    assert again.request.key != first.key
    assert (again.request.units, again.request.warehouse) == (2, "north")
    again.then(CREATED).when(m.RetryLabel(*P)).then_nothing()


def test_what_is_refused_again_waits_again():
    no = m.CarrierAnswer("refused", code="too_heavy")
    again = refused(3).then(REFUSED).when(m.RetryLabel(*P), no)
    waits = again.then(m.ShipmentRefused(*P, "too_heavy", 4, LINES, "north"))
    away = waits.when(m.RetryLabel(*P), m.CarrierAnswer("unreachable"))
    later = away.then_types(m.ShipmentDeferred)
    later.when(m.RetryLabel(*P)).then_nothing()
    later.when(m.PollCarrier(*P), LABEL).then(CREATED)


def test_what_is_refused_can_be_cancelled():
    cancelled = refused(3).then(REFUSED).when(m.CancelShipment(*P, LINES, 1))
    gone = cancelled.then(m.ShipmentCancelled(*P, LINES, 1, True))
    gone.when(m.RetryLabel(*P)).then_refused("label_not_refused")


def test_only_what_was_refused_is_asked_for_again():
    given(CREATED).when(m.RetryLabel(*P)).then_refused("label_not_refused")
    given().when(m.RetryLabel(*P)).then_refused("parcel_unknown")


def test_the_first_scan_hands_it_over():
    given(CREATED).when(scan(1, "handed_over")).then(HANDED)


def test_a_delivery_out_of_the_blue_was_handed_over_too():
    given(CREATED).when(scan(1, "delivered")).then_types(m.ShipmentHandedOver, m.ShipmentDelivered)


def test_a_scan_that_was_overtaken_is_kept_and_moves_nothing():
    late = (
        given(CREATED)
        .when(scan(1, "delivered", 9))
        .then_types(m.ShipmentHandedOver, m.ShipmentDelivered)
    )
    kept = late.when(scan(2, "in_transit", 5)).then_types(m.ShipmentMoved)
    assert kept.state.status == "delivered"


def scanned(scans: Sequence[m.RecordScan]) -> tuple[State, list[Any]]:
    """What a parcel is after these scans, and the facts that they left."""
    state, facts = given(CREATED).state, list[Any]()
    for one in scans:
        new = decider.decide(one, state)
        state = decider.fold(new, state)
        facts += new
    return state, facts


def test_any_order_of_scans_ends_the_same():
    scans = [
        scan(1, "handed_over", 1),
        scan(2, "in_transit", 2),
        scan(3, "attempt_failed", 3),
        scan(4, "in_transit", 4),
        scan(5, "delivered", 5),
    ]
    states = [scanned(order)[0] for order in permutations(scans)]
    ends = {(state.status, state.rank, state.at) for state in states}
    assert ends == {("delivered", 5, NOON + timedelta(minutes=5))}


@st.composite
def journeys(draw: st.DrawFn) -> tuple[list[m.RecordScan], list[m.RecordScan]]:
    """Scans in two orders; some come again, and several have the same time."""
    stops = draw(
        st.lists(st.tuples(st.sampled_from(list(RANK)), st.integers(0, 4)), min_size=1, max_size=7)
    )
    scans = [scan(number, status, minute) for number, (status, minute) in enumerate(stops)]
    again = draw(st.lists(st.sampled_from(scans), max_size=5))
    return draw(st.permutations(scans + again)), draw(st.permutations(scans + again))


@settings(max_examples=300, deadline=None)
@given_any(journeys())
def test_any_permutation_with_repeats_ends_the_same(
    orders: tuple[list[m.RecordScan], list[m.RecordScan]],
):
    one, other = (scanned(order) for order in orders)
    assert (one[0].status, one[0].rank, one[0].at) == (other[0].status, other[0].rank, other[0].at)
    came = {each.scan_id for each in orders[0]}
    best = max(orders[0], key=lambda each: place_of(each.status, each.at))
    assert (one[0].status, one[0].at) == (best.status, best.at)
    for state, facts in (one, other):
        kept = [fact.scan_id for fact in facts if not fact.scan_id.endswith(IMPLIED)]
        assert sorted(kept) == sorted(came), "each scan is kept, once"
        assert state.scans >= came
        handed_over = [fact for fact in facts if isinstance(fact, m.ShipmentHandedOver)]
        assert len(handed_over) == 1, "it leaves once"


def test_each_attempt_that_failed_is_a_fact_of_its_own():
    _, facts = scanned([scan(1, "attempt_failed", 1), scan(2, "attempt_failed", 2)])
    assert [type(fact) for fact in facts[1:]] == [m.DeliveryAttemptFailed] * 2


def test_nobody_knows_that_parcel():
    given().when(scan(1, "handed_over")).then_refused("parcel_unknown")


def test_a_scan_is_of_a_parcel_of_its_own_order():
    for other in ("o-2", "o-1.1", "o", ""):
        foreign = m.RecordScan(other, "o-1.1", "s-1", "handed_over", NOON)
        given(CREATED).when(foreign).then_refused("parcel_unknown")


@pytest.mark.parametrize("zone", ["", "Z", "+01:00"])
def test_a_time_without_a_zone_is_bad_data(zone: str):
    at = f"2026-11-17T12:00:00{zone}"
    told: dict[str, Any] = {"order_id": "o-1", "status": "delivered", "at": at}
    scanned = {**told, "parcel_id": "o-1.1", "scan_id": "s-1"}
    noticed = {**told, "notice_id": "n", "reference": "r", "amount": pounds(1)}
    for kind, data in ((m.RecordScan, scanned), (RecordProviderNotice, noticed)):
        with nullcontext() if zone else pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode(data), type=kind)


def test_it_can_be_stopped_until_it_left():
    stop = m.CancelShipment(*P, LINES, 1)
    given(CREATED).when(stop).then(m.ShipmentCancelled(*P, LINES, 1, True))
    given(CREATED, HANDED).when(stop).then(m.ShipmentKept(*P, 1))


def test_a_part_can_be_taken_out():
    part = m.CancelShipment(*P, (LineQuantity(1, "mug", 1),), 1)
    left = given(CREATED).when(part).then_types(m.ShipmentCancelled)
    assert left.state.lines == (LineQuantity(1, "mug", 1),)


def test_a_late_creation_finds_the_tombstone():
    stopped = given().when(m.CancelShipment(*P, LINES, 1)).then_types(m.ShipmentCancelled)
    stopped.when(CREATE).then_refused("shipment_cancelled")


LATER = NOON + timedelta(hours=6)


def test_a_poll_that_brings_a_known_scan_is_followed_by_the_next():
    known = (
        given(CREATED).when(scan(2, "in_transit")).then_types(m.ShipmentHandedOver, m.ShipmentMoved)
    )
    answer = m.CarrierAnswer("ok", scan_id="s-2", status="in_transit", at=NOON, next_at=LATER)
    poll = known.when(m.PollCarrier(*P), answer)
    assert poll.request.scans == 0
    waits = poll.then(m.ShipmentDeferred(*P, "scan", LATER, scan_id="s-2"))
    assert waits.when(m.PollCarrier(*P), answer).request.scans == 1
    poll.twice_writes_nothing()


def test_a_carrier_that_says_its_last_word_again_is_asked_again():
    answer = m.CarrierAnswer("ok", scan_id="s-2", status="in_transit", at=NOON, next_at=LATER)
    polled = given(CREATED, HANDED).when(m.PollCarrier(*P), answer).then_types(m.ShipmentMoved)
    again = msgspec.structs.replace(answer, next_at=LATER + timedelta(hours=6))
    polled.when(m.PollCarrier(*P), again).then_types(m.ShipmentDeferred)


SEEN = m.CarrierAnswer("ok", scan_id="s-9", status="in_transit", at=NOON)


@pytest.mark.parametrize(
    ("history", "command", "answer"),
    [
        ((), CREATE, LABEL),
        ((), CREATE, m.CarrierAnswer("unreachable")),
        ((CREATED,), scan(1, "handed_over"), None),
        ((CREATED,), m.PollCarrier(*P), SEEN),
        ((CREATED,), m.PollCarrier(*P), msgspec.structs.replace(SEEN, next_at=LATER)),
        ((CREATED,), m.CancelShipment(*P, LINES, 1), None),
        ((CREATED, HANDED), m.CancelShipment(*P, LINES, 1), None),
        ((), m.ReceiveReturn("o-1", 1, LINES), None),
    ],
)
def test_twice(history: tuple[Any, ...], command: Any, answer: Any):
    given(*history).when(command, answer).twice_writes_nothing()
