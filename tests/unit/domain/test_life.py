"""Whole lives of orders, played through all contexts in memory."""

from datetime import timedelta

import pytest

from domain.inventory.messages import ReceiveStock
from domain.order import messages as order
from domain.payment.messages import ConfirmAuthentication, ExpireAuthentication
from domain.shipping.messages import RecordScan
from tests.books import check_at_rest, check_books
from tests.shop import line, place, stocked
from tests.unit.domain.passages import axes, until_next
from tests.world import START


def test_an_order_is_confirmed_shipped_paid_delivered_completed():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world) == ("confirmed", "in_fulfilment", "authorized")
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    assert world.levels["mug"].on_hand == 3
    check_books(world)
    check_at_rest(world)


@pytest.mark.parametrize("pays", [True, False])
def test_an_order_without_a_card_waits_for_one_and_expires(pays: bool):
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2), method=""))
    assert axes(world) == ("awaiting_payment", "none", "failed")
    if pays:
        world.tell(order.PayOrder("o-1", "tok_approve"))
    world.run_out()
    assert axes(world)[0] == ("completed" if pays else "expired")
    check_at_rest(world)


def test_a_parcel_is_polled_on_though_its_scans_came_by_themselves():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(RecordScan("o-1", "o-1.1", "o-1.1-0", "handed_over", world.now))
    world.tell(RecordScan("o-1", "o-1.1", "o-1.1-1", "in_transit", world.now))
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    check_at_rest(world)


def test_too_little_stock_rejects():
    world = stocked(mug=1)
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world)[0] == "rejected"
    check_at_rest(world)


def test_flash_sale_sells_each_copy_once():
    world = stocked(mug=100)
    for n in range(500):
        world.send(place(f"o-{n}", line(1, "mug", 1)))
    world.drain(lambda n: n - 1)
    statuses = [axes(world, f"o-{n}")[0] for n in range(500)]
    assert statuses.count("confirmed") == 100
    assert statuses.count("rejected") == 400
    world.run_out()
    check_at_rest(world)


def test_backorders_are_served_in_their_order_when_goods_come():
    world = stocked(mug=0)
    for n in range(3):
        world.tell(place(f"o-{n}", line(1, "mug", 2), shortage="backorder"))
    assert [axes(world, f"o-{n}")[0] for n in range(3)] == ["on_hold"] * 3
    world.tell(stock("mug", 4))
    assert [axes(world, f"o-{n}")[0] for n in range(3)] == ["confirmed", "confirmed", "on_hold"]
    world.run_out()
    assert axes(world, "o-2")[0] == "expired"
    check_at_rest(world)


def test_final_decline_gives_the_stock_back():
    world = stocked(mug=5)
    world.provider.script.append("decline")
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world) == ("cancelled", "none", "failed")
    assert world.levels["mug"].reserved == 0
    check_at_rest(world)


def test_retryable_decline_waits_for_another_card():
    world = stocked(mug=5)
    world.provider.script.append("decline_retryable")
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world) == ("awaiting_payment", "none", "failed")
    world.tell(order.PayOrder("o-1", "tok_other"))
    assert axes(world)[0] == "confirmed"


def test_nobody_pays_and_it_expires():
    world = stocked(mug=5)
    world.provider.script.append("decline_retryable")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.run_out()
    assert axes(world)[0] == "expired"
    check_at_rest(world)


@pytest.mark.parametrize(("asked_for", "ends"), [(31, "expired"), (29, "awaiting_payment")])
def test_the_time_to_pay_counts_from_the_first_request(asked_for: int, ends: str):
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tick(timedelta(minutes=9))
    world.provider.script.append("decline_retryable")
    world.tell(confirm_authentication("o-1", 1))
    world.tick(timedelta(minutes=12))
    world.provider.script.append("action")
    world.tell(order.PayOrder("o-1", "tok_other"))
    world.tick(timedelta(minutes=asked_for - 21))  # customers may take ten for each attempt
    world.drain()
    world.tell(ExpireAuthentication("o-1", 2))
    assert axes(world)[0] == ends
    world.run_out()
    assert axes(world)[0] == "expired"
    assert world.now == START + timedelta(minutes=max(30, asked_for))
    check_at_rest(world)


@pytest.mark.parametrize("word", ["unreachable", "lost", "done"])
def test_a_provider_that_is_down_charges_once_when_it_is_back(word: str):
    world = stocked(mug=5)
    world.provider.script.extend([word] * 5)
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world) == ("awaiting_payment", "none", "processing")
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    assert world.provider.total("authorize", "o-1") == 1_000
    check_at_rest(world)


def test_a_provider_that_stays_away_for_a_day_cancels():
    world = stocked(mug=5)
    world.provider.script.extend(["unreachable"] * 1_000)
    world.tell(place("o-1", line(1, "mug", 2)))
    while axes(world)[0] == "awaiting_payment":
        until_next(world)
    assert axes(world)[0] == "cancelled"
    check_at_rest(world)


def test_what_may_be_held_when_the_provider_is_given_up_is_voided():
    world = stocked(mug=5)
    world.provider.script.extend(["done", *["unreachable"] * 300])
    world.tell(place("o-1", line(1, "mug", 2)))
    while axes(world)[0] == "awaiting_payment":
        until_next(world)
    assert world.provider.total("authorize", "o-1") == 1_000
    world.provider.script.clear()
    world.run_out()
    assert axes(world) == ("cancelled", "none", "voided")
    assert world.provider.total("void", "o-1") == 1_000
    check_at_rest(world)


def test_three_d_secure_waits_for_the_customer():
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world) == ("awaiting_payment", "none", "requires_action")
    world.tell(confirm_authentication("o-1", 1))
    assert axes(world)[0] == "confirmed"


def test_three_d_secure_that_is_left_alone_expires():
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.run_out()
    assert axes(world)[0] == "expired"
    check_at_rest(world)


def test_repeats_of_every_message_change_nothing():
    once, twice = stocked(mug=5), stocked(mug=5)
    once.tell(place("o-1", line(1, "mug", 2)))
    once.run_out()
    twice.tell(place("o-1", line(1, "mug", 2)))
    twice.run_out()
    handled = list(twice.log)
    for name in list(twice.queues):
        assert not twice.queues[name]
    twice.tell(place("o-1", line(1, "mug", 2)))
    assert twice.log == handled == once.log


def stock(sku: str, quantity: int) -> ReceiveStock:
    return ReceiveStock(sku, quantity)


def confirm_authentication(order_id: str, attempt: int) -> ConfirmAuthentication:
    return ConfirmAuthentication(order_id, attempt)
