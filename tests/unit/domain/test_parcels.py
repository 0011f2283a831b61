"""How an order is packed: one parcel or several a warehouse, never more than 20 units in one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.errors import Refused
from domain.message import Line, LineQuantity, Parcel
from domain.order.decider import decider
from domain.order.parcels import MOST_PARCELS, MOST_UNITS, parcels_of
from domain.order.state import units
from tests.shop import line, place


def lying(number: int, sku: str, quantity: int, warehouse: str) -> Line:
    return replace(line(number, sku, quantity), warehouse=warehouse)


def packed(*lines: Line) -> list[tuple[str, dict[int, int]]]:
    wanted = {one.line: one.quantity for one in lines}
    return [(one.warehouse, units(one.lines)) for one in parcels_of("o-1", lines, wanted)]


def test_what_lies_in_one_warehouse_goes_into_one_parcel():
    wanted = {1: 2, 2: 1}
    [parcel] = parcels_of("o-1", (line(1, "mug", 2), line(2, "pen", 1)), wanted)
    assert parcel == Parcel("o-1.1", (LineQuantity(1, "mug", 2), LineQuantity(2, "pen", 1)))


def test_each_warehouse_sends_a_parcel():
    lines = (lying(1, "mug", 2, "north"), line(2, "pen", 1), lying(3, "hat", 3, "north"))
    assert packed(*lines) == [("north", {1: 2, 3: 3}), ("main", {2: 1})]


def test_a_parcel_holds_twenty_units_and_a_line_may_go_on_in_the_next():
    assert packed(line(1, "mug", 20)) == [("main", {1: 20})]
    assert packed(line(1, "mug", 15), line(2, "pen", 26)) == [
        ("main", {1: 15, 2: 5}),
        ("main", {2: 20}),
        ("main", {2: 1}),
    ]


def test_what_was_cancelled_is_not_packed():
    lines = (line(1, "mug", 2), lying(2, "pen", 1, "north"))
    [parcel] = parcels_of("o-1", lines, {1: 1})
    assert parcel.lines == (LineQuantity(1, "mug", 1),)
    assert parcels_of("o-1", lines, {}) == ()


def test_more_than_fits_into_parcels_goes_as_freight():
    most = MOST_UNITS * MOST_PARCELS
    assert len(packed(line(1, "mug", most))) == MOST_PARCELS
    pallets = (line(1, "mug", most), lying(2, "pen", 2, "north"))
    assert packed(*pallets) == [("main", {1: most}), ("north", {2: 2})]


def test_an_import_is_one_parcel():
    lines = (lying(1, "mug", 900, "north"), line(2, "pen", 1))
    [parcel] = parcels_of("o-1", lines, {1: 900, 2: 1}, "one")
    assert parcel.warehouse == "north"
    assert units(parcel.lines) == {1: 900, 2: 1}


LINES = st.lists(
    st.tuples(st.integers(1, 45), st.sampled_from(("main", "north", "south"))), max_size=8
).map(lambda many: tuple(lying(n, f"sku-{n}", q, w) for n, (q, w) in enumerate(many, 1)))


@settings(max_examples=200, deadline=None)
@given(LINES, st.data())
def test_every_unit_is_packed_once_where_it_lies(lines: tuple[Line, ...], data: st.DataObject):
    wanted = {one.line: data.draw(st.integers(0, one.quantity)) for one in lines}
    parcels = parcels_of("o-1", lines, wanted)
    whole = units(one for parcel in parcels for one in parcel.lines)
    assert whole == {number: quantity for number, quantity in wanted.items() if quantity}
    homes = {one.line: one.warehouse for one in lines}
    for number, parcel in enumerate(parcels, 1):
        assert parcel.parcel_id == f"o-1.{number}"
        assert 0 < sum(one.quantity for one in parcel.lines) <= MOST_UNITS
        assert {homes[one.line] for one in parcel.lines} == {parcel.warehouse}
    counts = {
        w: sum(wanted[one.line] for one in lines if one.warehouse == w) for w in homes.values()
    }
    for warehouse, count in counts.items():
        sent = [parcel for parcel in parcels if parcel.warehouse == warehouse]
        assert len(sent) == -(-count // MOST_UNITS), "no parcel more than needed"


def test_an_order_in_no_warehouse_is_refused():
    with pytest.raises(Refused, match="warehouse_missing"):
        decider.decide(place("o-1", lying(1, "mug", 1, "")), decider.initial)
