"""A shop to try the domain in: what an order looks like, what stands on the shelf."""

from domain.inventory.messages import ReceiveStock
from domain.message import Charge, Line, Money
from domain.order.messages import PlaceOrder, ShortagePolicy
from tests.world import World


def pounds(minor: int) -> Money:
    return Money(minor, "GBP")


def line(number: int, sku: str, quantity: int, minor: int = 500) -> Line:
    return Line(number, sku, quantity, pounds(minor))


def place(
    order_id: str,
    *lines: Line,
    method: str = "tok_approve",
    shortage: ShortagePolicy = "reject",
    charges: tuple[Charge, ...] = (),
    contact: str = "sealed",
) -> PlaceOrder:
    return PlaceOrder(
        order_id,
        lines,
        "GBP",
        method,
        customer_id="c-1",
        contact=contact,
        charges=charges,
        shortage=shortage,
    )


def stocked(**on_hand: int) -> World:
    """A world with so much of each sku on the shelf."""
    world = World()
    for sku, quantity in on_hand.items():
        if quantity:
            world.tell(ReceiveStock(sku, quantity))
    return world
