"""Lives in which money that was held lapses, is held anew, or is owed."""

from datetime import timedelta

import pytest

from domain.message import Money
from domain.order import messages as order
from domain.payment.messages import RenewAuthorization
from domain.shipping.messages import RecordScan
from tests.books import check_at_rest
from tests.shop import line, place, stocked
from tests.unit.domain.passages import axes, until_next


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
