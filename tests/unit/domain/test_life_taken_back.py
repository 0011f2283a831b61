"""Lives in which something is cancelled, lost or sent back."""

from datetime import timedelta

from domain.message import LineQuantity
from domain.order import messages as order
from domain.payment.messages import ExpireAuthentication
from domain.shipping.messages import ReceiveReturn, RecordScan
from tests.books import check_at_rest
from tests.shop import line, place, stocked
from tests.unit.domain.passages import axes, delivered, returning


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
