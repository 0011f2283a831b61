"""Whole lives of orders, played through all contexts in memory."""

from datetime import timedelta

import pytest

from domain.inventory.messages import ReceiveStock
from domain.message import LineQuantity, Money
from domain.order import messages as order
from domain.order.status import status_of
from domain.payment.messages import (
    ConfirmAuthentication,
    ExpireAuthentication,
    RenewAuthorization,
)
from domain.shipping.messages import ReceiveReturn, RecordScan
from tests.books import check_at_rest, check_books
from tests.shop import line, place, stocked
from tests.world import START, World


def axes(world: World, order_id: str = "o-1") -> tuple[str, str, str]:
    return status_of(world.orders[order_id])


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


def test_cancelling_before_hand_over_gives_all_back():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(order.CancelOrder("o-1", reason="changed my mind"))
    assert axes(world) == ("cancelled", "none", "voided")
    assert world.levels["mug"].reserved == 0
    check_at_rest(world)


def test_cancelling_a_part_captures_less():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 3)))
    world.tell(order.CancelOrder("o-1", (LineQuantity(1, "mug", 1),)))
    assert axes(world) == ("confirmed", "in_fulfilment", "authorized")
    world.run_out()
    assert world.provider.total("capture", "o-1") == 1_000
    assert world.levels["mug"].on_hand == 3
    check_at_rest(world)


def test_cancelling_while_the_provider_is_asked_voids_what_comes_late():
    world = stocked(mug=5)
    world.provider.script.append("lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(order.CancelOrder("o-1"))
    assert axes(world) == ("cancelling", "none", "processing")
    world.run_out()
    assert axes(world) == ("cancelled", "none", "voided")
    check_at_rest(world)


def test_the_carrier_was_faster_than_the_cancellation():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tick(timedelta(hours=7))
    world.send(order.CancelOrder("o-1"))
    world.step(("order", "o-1"))  # asked, and the parcel not stopped yet
    world.step(("shipping", "o-1"))  # the timer's poll: handed over
    world.drain()
    assert axes(world) == ("confirmed", "shipped", "captured")
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    check_at_rest(world)


def test_a_lost_parcel_is_refunded():
    world = stocked(mug=5)
    world.carrier.journey = ("handed_over", "lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.run_out()
    assert axes(world) == ("completed", "lost", "refunded")
    assert world.levels["mug"].on_hand == 3
    check_at_rest(world)


def test_a_parcel_back_at_the_sender_is_refunded_and_restocked():
    world = stocked(mug=5)
    world.carrier.journey = ("handed_over", "attempt_failed", "returned_to_sender")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.run_out()
    assert axes(world) == ("completed", "returned", "refunded")
    assert world.levels["mug"].on_hand == 5
    check_at_rest(world)


def test_a_return_is_refunded_and_restocked_in_part():
    world = delivered()
    world.tell(order.RequestReturn("o-1", (LineQuantity(1, "mug", 1),)))
    world.tell(order.ApproveReturn("o-1", 1))
    world.tell(ReceiveReturn("o-1", 1, (LineQuantity(1, "mug", 1),)))
    assert axes(world) == ("confirmed", "partially_returned", "partially_refunded")
    assert world.levels["mug"].on_hand == 4
    world.run_out()
    assert axes(world)[0] == "completed"
    check_at_rest(world)


def test_an_open_return_keeps_the_order_open_after_the_window():
    world = returning()
    world.tick(timedelta(days=29, hours=12))
    world.drain()
    assert order.ReturnWindowEnded("o-1") in world.log
    assert axes(world)[0] == "confirmed"
    world.tell(ReceiveReturn("o-1", 1, (LineQuantity(1, "mug", 2),)))
    assert axes(world) == ("completed", "returned", "refunded")
    check_at_rest(world)


def test_a_return_whose_goods_never_come_ends():
    world = returning()
    world.run_out()
    assert order.ReturnRefused("o-1", 1, "not_received") in world.log
    assert axes(world) == ("completed", "delivered", "captured")
    check_at_rest(world)


def test_a_refund_waits_for_a_capture_that_is_late():
    world = stocked(mug=5)
    world.carrier.journey = ("handed_over", "lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["unreachable"] * 20)
    world.run_out()
    assert axes(world) == ("completed", "lost", "refunded")
    assert world.provider.total("refund", "o-1") == world.provider.total("capture", "o-1") == 1_000
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


@pytest.mark.parametrize("answer", ["approve", "decline", "decline_retryable"])
def test_an_authorisation_that_lapses_is_asked_for_anew_or_the_parcel_stops(answer: str):
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", answer])
    world.tell(RenewAuthorization("o-1"))
    if answer == "approve":
        assert axes(world) == ("confirmed", "in_fulfilment", "authorized")
    else:
        assert axes(world)[0] == "cancelled"
        assert world.orders["o-1"].ending_reason == "authorization_expired"
    world.run_out()
    assert world.provider.total("capture", "o-1") == (1_000 if answer == "approve" else 0)
    check_at_rest(world)


def test_an_order_whose_authorisation_lapsed_can_be_cancelled():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", "lost"])
    world.tell(RenewAuthorization("o-1"))
    assert axes(world)[0] == "on_hold"
    world.tell(order.CancelOrder("o-1"))
    world.run_out()
    assert axes(world)[0] == "cancelled"
    assert world.provider.total("void", "o-1") == 2_000  # of both that were asked for
    check_at_rest(world)


def test_a_renewal_that_was_given_up_unsure_is_voided_while_another_card_is_charged():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.append("done")
    world.tell(RenewAuthorization("o-1"))
    first, *_ = world.provider.holds
    world.provider.down_until = world.now + timedelta(hours=25)
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    assert world.provider.holds[first].minor == 0
    assert world.provider.total("capture", "o-1") == 1_000
    check_at_rest(world)


def test_a_parcel_that_leaves_while_the_money_is_asked_for_anew_is_paid():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", "lost", "lost"])
    world.tell(RenewAuthorization("o-1"))
    world.tell(RecordScan("o-1", "o-1.1", "s-1", "handed_over", world.now))
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    check_at_rest(world)


def test_what_left_unpaid_stays_open_until_a_person_decides():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", "lost"])
    world.tell(RenewAuthorization("o-1"))
    world.tell(RecordScan("o-1", "o-1.1", "s-1", "handed_over", world.now))
    world.provider.script.append("decline")
    world.run_out()
    assert axes(world) == ("confirmed", "delivered", "failed")
    assert order.ReturnWindowEnded("o-1", "payment_failed") in world.log
    world.tell(order.SettleOrder("o-1", write_off=True))
    assert world.log[-1] == order.OrderCompleted("o-1", Money(1_000, "GBP"))
    check_at_rest(world)


def test_an_order_on_hold_is_not_confirmed_before_it_is_released():
    world = stocked(mug=5)
    world.provider.script.append("lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(order.HoldOrder("o-1"))
    until_next(world)
    assert axes(world) == ("on_hold", "none", "authorized")
    world.tell(order.ReleaseHold("o-1"))
    assert axes(world) == ("confirmed", "in_fulfilment", "authorized")
    world.run_out()
    check_at_rest(world)


@pytest.mark.parametrize("renewal", ["approve", "decline"])
def test_an_order_on_hold_can_be_cancelled_or_lapses(renewal: str):
    world = stocked(mug=5)
    world.provider.script.append("lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(order.HoldOrder("o-1"))
    until_next(world)
    world.provider.script.append(renewal)
    world.tell(RenewAuthorization("o-1"))
    if renewal == "approve":
        world.tell(order.CancelOrder("o-1"))
    world.run_out()
    assert axes(world)[0] == ("cancelled" if renewal == "approve" else "expired")
    check_at_rest(world)


def stock(sku: str, quantity: int) -> ReceiveStock:
    return ReceiveStock(sku, quantity)


def confirm_authentication(order_id: str, attempt: int) -> ConfirmAuthentication:
    return ConfirmAuthentication(order_id, attempt)


def delivered() -> World:
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    while axes(world)[1] != "delivered":
        until_next(world)
    return world


def returning() -> World:
    """A day after the delivery a return is approved."""
    world = delivered()
    world.tick(timedelta(days=1))
    world.tell(order.RequestReturn("o-1", (LineQuantity(1, "mug", 2),)))
    world.tell(order.ApproveReturn("o-1", 1))
    return world


def until_next(world: World) -> None:
    """To the next deadline, and through all that follows from it."""
    due = world.next_due()
    assert due is not None
    world.tick(due - world.now)
    world.drain()


def test_a_lost_parcel_that_was_not_paid_takes_nothing_of_what_the_others_paid():
    world = stocked(mug=30)
    world.provider.script.extend(["approve", "approve", "decline"])
    world.carrier.journey = ("handed_over", "lost")
    world.tell(place("o-1", line(1, "mug", 21)))  # two parcels, and the second is declined
    world.tell(RecordScan("o-1", "o-1.1", "s-1", "delivered", world.now))
    world.run_out()
    assert axes(world) == ("completed", "delivered", "partially_captured")
    assert world.provider.total("capture", "o-1") == 10_000
    assert world.provider.total("refund", "o-1") == 0
    assert world.provider.total("void", "o-1") == 500
    check_at_rest(world)


def test_who_confirms_after_the_cancellation_is_not_charged():
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    [reference] = world.provider.challenges
    world.tell(ExpireAuthentication("o-1", 1))
    world.provider.customer(reference, confirms=True)
    world.tell(order.CancelOrder("o-1"))
    [notice] = world.provider.notices
    world.tell(notice)
    assert not world.provider.left("o-1")
    world.run_out()
    assert axes(world)[0] == "cancelled"
    check_at_rest(world)


def test_a_capture_that_came_too_late_is_made_of_a_new_authorisation():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.append("decline")
    world.send(RenewAuthorization("o-1"))
    world.send(RecordScan("o-1", "o-1.1", "s-1", "handed_over", world.now))
    world.step(("shipping", "o-1"))
    world.step(("order", "o-1"))  # it has left, and the authorisation ends before the capture
    world.drain()
    assert world.provider.total("capture", "o-1") == 1_000
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    check_at_rest(world)


def test_a_person_takes_another_card_for_what_is_owed():
    world = stocked(mug=5)
    world.provider.script.extend(["approve", "decline"])
    world.tell(place("o-1", line(1, "mug", 2)))
    world.run_out()
    assert axes(world) == ("confirmed", "delivered", "failed")
    world.tell(order.SettleOrder("o-1", "tok_other"))
    world.run_out()
    assert axes(world) == ("completed", "delivered", "captured")
    assert world.provider.total("void", "o-1") == 1_000  # what the first card held
    check_at_rest(world)
