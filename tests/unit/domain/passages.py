"""Passages of an order's life with which several tests begin."""

from datetime import timedelta

from domain.message import LineQuantity
from domain.order import messages as order
from domain.order.status import status_of
from tests.shop import line, place, stocked
from tests.world import World


def axes(world: World, order_id: str = "o-1") -> tuple[str, str, str]:
    return status_of(world.orders[order_id])


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
