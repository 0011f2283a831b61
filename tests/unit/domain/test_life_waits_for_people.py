"""Whole lives that wait for somebody: a customer who has to confirm, a parcel nobody will have."""

from datetime import timedelta

import pytest

from domain.deadlines import AUTHENTICATE
from domain.notification.messages import NotificationSent
from domain.order import messages as order
from domain.payment.messages import AuthenticationRequired, RenewAuthorization
from domain.shipping.messages import RetryLabel
from tests.books import check_at_rest
from tests.shop import line, place, stocked
from tests.unit.domain.passages import axes, until_next
from tests.world import World


def mails(world: World, template: str) -> list[str]:
    return [
        fact.notification_id
        for fact in world.log
        if isinstance(fact, NotificationSent) and fact.template == template
    ]


@pytest.mark.parametrize("confirms", [True, False])
def test_who_has_to_confirm_a_payment_that_is_asked_for_anew_hears_of_it_by_mail(confirms: bool):
    world = stocked(mug=5)
    world.carrier.pause = timedelta(days=3)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", "action"])
    world.tell(RenewAuthorization("o-1"))
    [challenge] = world.provider.challenges
    assert axes(world)[2] == "authorization_expired"
    assert mails(world, "payment_action_required") == ["o-1.payment_action_required.email.2"]
    world.tick(timedelta(hours=5))  # nobody waits at a checkout
    if confirms:
        world.provider.customer(challenge, confirms=True)
        world.tell(world.provider.notices[-1])
    world.run_out()
    ends = ("completed", "delivered") if confirms else ("cancelled", "none")
    assert axes(world)[:2] == ends
    assert len(mails(world, "payment_action_required")) == 1
    check_at_rest(world)


@pytest.mark.parametrize("first", [(), ("lost",), ("unreachable", "unreachable")])
def test_who_pays_again_after_a_hold_is_at_the_checkout(first: tuple[str, ...]):
    world = stocked(mug=5)
    world.provider.script.append("lost")
    world.tell(place("o-1", line(1, "mug", 2)))
    world.tell(order.HoldOrder("o-1"))
    until_next(world)
    world.provider.script.append("decline")
    world.tell(RenewAuthorization("o-1"))
    world.tell(order.ReleaseHold("o-1"))
    until_next(world)  # what the renewal left is voided
    world.provider.script.extend([*first, "action"])
    world.tell(order.PayOrder("o-1", "tok_other"))
    while axes(world)[2] != "requires_action":
        until_next(world)
    [asked] = [fact for fact in world.log if isinstance(fact, AuthenticationRequired)]
    [told] = [fact for fact in world.log if isinstance(fact, order.PaymentActionRequired)]
    assert (asked.off_session, told.off_session) == (False, False)
    [due] = [one.due_at for name, one in world.timers.items() if name[1] == AUTHENTICATE]
    assert due - world.now == world.periods.authentication
    world.run_out()
    assert mails(world, "payment_action_required") == []
    check_at_rest(world)


def test_who_is_at_the_checkout_sees_there_what_has_to_be_confirmed():
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    assert axes(world)[2] == "requires_action"
    assert mails(world, "payment_action_required") == []


@pytest.mark.parametrize("gives_up", [False, True])
def test_a_parcel_that_the_carrier_refuses_waits_for_a_person(gives_up: bool):
    world = stocked(mug=5)
    world.carrier.script.extend(["refused"] * 3)
    world.tell(place("o-1", line(1, "mug", 2)))
    for _ in range(2):
        until_next(world)
    assert world.parcels["shipment-o-1.1"].refused
    assert axes(world) == ("confirmed", "in_fulfilment", "authorized")
    assert world.levels["mug"].reserved == 2
    world.tell(order.CancelOrder("o-1") if gives_up else RetryLabel("o-1", "o-1.1"))
    world.run_out()
    assert axes(world)[0] == ("cancelled" if gives_up else "completed")
    assert world.levels["mug"].on_hand == (5 if gives_up else 3)
    assert world.provider.total("capture", "o-1") == (0 if gives_up else 1_000)
    check_at_rest(world)
