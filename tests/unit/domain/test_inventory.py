"""The shelf's rules, one sentence each."""

from typing import Any

import pytest

from domain.inventory import messages as m
from domain.inventory.decider import decider
from domain.inventory.state import Level, Reservation, Shelf, Waiting
from domain.message import Shortage, SkuQuantity
from store.codec import encode
from tests.spec import Spec

given = Spec(decider).given

WANT = (SkuQuantity("mug", 2), SkuQuantity("pen", 1))
RESERVE = m.ReserveStock("o-1", WANT)
BACKORDER = m.ReserveStock("o-1", WANT, "backorder")
FULL = (m.StockReceived("mug", 5), m.StockReceived("pen", 5))
RESERVED = m.StockReserved("o-1", WANT)
SHORT = (Shortage("mug", 2, 0), Shortage("pen", 1, 0))
WAITS = m.StockBackordered("o-1", WANT, SHORT)
QUEUE = Shelf(waiting={"mug": (Waiting("o-9", 2, (SkuQuantity("mug", 2),)),)})


def test_all_lines_are_reserved_together():
    after = given(*FULL).when(RESERVE).then(RESERVED)
    assert after.state.levels == {"mug": Level(5, 2), "pen": Level(5, 1)}


def test_or_none_at_all():
    short = (Shortage("pen", 1, 0),)
    given(m.StockReceived("mug", 5)).when(RESERVE).then(m.StockRanShort("o-1", short))


def test_a_sku_on_two_lines_counts_once_with_both():
    twice = m.ReserveStock("o-1", (SkuQuantity("mug", 3), SkuQuantity("mug", 3)))
    given(*FULL).when(twice).then(m.StockRanShort("o-1", (Shortage("mug", 6, 5),)))


def test_who_wants_to_wait_waits():
    given().when(BACKORDER).then(WAITS)


def test_a_newcomer_does_not_take_what_others_wait_for():
    one = m.ReserveStock("o-2", (SkuQuantity("mug", 2),))
    short = m.StockRanShort("o-2", (Shortage("mug", 2, 1),))
    given(m.StockReceived("mug", 3), state=QUEUE).when(one).then(short)


def test_goods_are_announced_to_those_in_front():
    front = m.WaitingOrder("o-9", (SkuQuantity("mug", 2),))
    given(state=QUEUE).when(m.ReceiveStock("mug", 1)).then(m.StockReceived("mug", 1))
    both = (m.StockReceived("mug", 2), m.StockAvailable("mug", (front,)))
    given(state=QUEUE).when(m.ReceiveStock("mug", 2)).then(*both)


def test_its_turn_comes_for_all_it_waits_for():
    stale = m.ReserveStock("o-1", (SkuQuantity("mug", 2),), "backorder")
    waits = given(WAITS, m.StockReceived("mug", 2)).when(stale).then_nothing()
    assert waits.state.reservation.status == "waiting"
    served = given(WAITS, *FULL).when(stale).then(RESERVED)
    assert not any(served.state.waiting.values())


def test_a_late_reservation_finds_the_tombstone():
    release = m.ReleaseReservation("o-1", "cancel")
    released = given().when(release).then(m.ReservationReleased("o-1", (), "cancel"))
    released.when(RESERVE).then_refused("reservation_released")


def test_goods_that_leave_come_off_the_shelf():
    commit = m.CommitReservation("o-1", (SkuQuantity("mug", 2),), "o-1.1")
    after = given(*FULL, RESERVED).when(commit).then_types(m.ReservationCommitted)
    assert after.state.levels["mug"] == Level(3, 0)
    assert after.state.reservation.lines == (SkuQuantity("pen", 1),)


def test_more_than_is_reserved_cannot_leave():
    commit = m.CommitReservation("o-1", (SkuQuantity("mug", 3),), "o-1.1")
    given(*FULL, RESERVED).when(commit).then_refused("too_many")


def test_a_count_never_goes_below_the_promises():
    given(*FULL, RESERVED).when(m.AdjustStock("mug", -3, "count")).then_types(m.StockAdjusted)
    given(*FULL, RESERVED).when(m.AdjustStock("mug", -4, "count")).then_refused("below_reserved")


def test_a_part_given_up_may_let_the_rest_be_served():
    part = m.ReleaseReservation("o-1", "cancel", (SkuQuantity("pen", 1),), "cancellation-1")
    waits = given(WAITS, m.StockReceived("mug", 2)).when(part)
    told = waits.then_types(m.ReservationReleased, m.StockAvailable)
    assert told.state.reservation.lines == (SkuQuantity("mug", 2),)


@pytest.mark.parametrize("quantity", [0, -1])
def test_nothing_is_not_a_quantity(quantity: int):
    given().when(m.ReceiveStock("mug", quantity)).then_refused("quantity_not_positive")
    given().when(m.RestockReturn("mug", quantity, "o-1")).then_refused("quantity_not_positive")


@pytest.mark.parametrize(
    ("history", "command"),
    [
        (FULL, RESERVE),
        ((), RESERVE),
        ((), BACKORDER),
        ((*FULL, RESERVED), m.CommitReservation("o-1", WANT, "o-1.1")),
        ((*FULL, RESERVED), m.ReleaseReservation("o-1", "cancel", (), "cancellation-1")),
        ((WAITS,), m.ReleaseReservation("o-1", "expiry", (), "cancellation-1")),
        ((), m.ReleaseReservation("o-1", "cancel", (), "cancellation-1")),
    ],
)
def test_twice(history: tuple[Any, ...], command: Any):
    """Two equal goods receipts are two receipts; their repeats are known by the command's id."""
    given(*history).when(command).twice_writes_nothing()


def test_a_large_order_is_one_fact():
    lines = tuple(SkuQuantity(f"sku-{n}", 1) for n in range(1_112))
    shelf = Shelf(Reservation(), {line.sku: Level(1, 0) for line in lines})
    after = given(state=shelf).when(m.ReserveStock("o-1", lines)).then_types(m.StockReserved)
    assert all(level == Level(1, 1) for level in after.state.levels.values())


def test_however_many_wait_no_fact_outgrows_a_record():
    line = (SkuQuantity("mug", 1),)
    queue = tuple(Waiting(f"o-{n}", 1, line) for n in range(20_000))
    shelf = Shelf(levels={"mug": Level(0, 0)}, waiting={"mug": queue})
    facts = decider.decide(m.ReceiveStock("mug", 20_000), shelf)
    told = [fact for fact in facts if isinstance(fact, m.StockAvailable)]
    assert [one.order_id for fact in told for one in fact.orders] == [
        f"o-{n}" for n in range(20_000)
    ]
    assert max(len(encode(fact)) for fact in facts) < 100_000
