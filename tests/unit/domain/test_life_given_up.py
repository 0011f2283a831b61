"""Lives of orders that end while the provider may still hold money of an attempt given up."""

from datetime import timedelta

import pytest

from domain.order import messages as order
from domain.payment.messages import RenewAuthorization
from tests.books import check_at_rest, check_books
from tests.shop import line, place, stocked
from tests.unit.domain.passages import axes, until_next
from tests.world import World


def goes_down(world: World, hours: int) -> None:
    world.provider.down_until = world.now + timedelta(hours=hours)


def ends_with_the_last_hold(world: World) -> None:
    """What the provider was not asked to let go keeps the order open."""
    while axes(world)[0] != "cancelled":
        until_next(world)
        check_books(world)
    assert not set(world.provider.left("o-1")) - world.provider.kept
    assert world.now >= world.provider.down_until
    world.run_out()
    check_at_rest(world)


@pytest.mark.parametrize("second", ["done", "lost"])
def test_a_cancelled_order_waits_for_the_void_of_an_attempt_given_up(second: str):
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["decline", second])
    world.tell(RenewAuthorization("o-1"))
    goes_down(world, 25)
    world.tell(order.CancelOrder("o-1"))
    ends_with_the_last_hold(world)


@pytest.mark.parametrize("renewal", ["done", "lost"])
def test_a_cancelled_order_waits_for_the_void_of_a_renewal_given_up(renewal: str):
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.append(renewal)
    world.tell(RenewAuthorization("o-1"))
    goes_down(world, 25)
    world.tell(order.CancelOrder("o-1"))
    ends_with_the_last_hold(world)


def test_a_cancelled_order_waits_for_the_void_of_a_renewal_that_was_declined():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.extend(["unreachable", "unreachable", "decline"])
    world.tell(RenewAuthorization("o-1"))
    world.tell(order.CancelOrder("o-1"))
    until_next(world)
    goes_down(world, 23)
    ends_with_the_last_hold(world)


def test_an_order_ends_too_where_the_void_of_what_was_given_up_fails():
    world = stocked(mug=5)
    world.tell(place("o-1", line(1, "mug", 2)))
    world.provider.script.append("done")
    world.tell(RenewAuthorization("o-1"))
    world.provider.down_until = world.now + timedelta(days=5)
    world.tell(order.CancelOrder("o-1"))
    world.run_out()
    assert axes(world)[0] == "cancelled"
    assert world.now < world.provider.down_until
    check_at_rest(world)
