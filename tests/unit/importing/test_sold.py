"""A cancelled line finds the orders that it takes back."""

from datetime import UTC, datetime, timedelta

from cli.importing.sold import SoldGoods, by_order
from domain.message import Line, LineQuantity, Money
from domain.order.messages import OrderPlaced
from domain.order.state import Return, State

AT = datetime(2010, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def order(order_id: str, *lines: tuple[str, int, int], customer: str = "c") -> State:
    numbered = tuple(
        Line(number, sku, quantity, Money(price, "GBP"))
        for number, (sku, quantity, price) in enumerate(lines, 1)
    )
    return State(
        base="completed",
        placed=OrderPlaced(order_id, numbered, Money(0, "GBP"), customer_id=customer),
    )


def sold() -> SoldGoods:
    goods = SoldGoods()
    goods.add(order("old", ("mug", 5, 100)), AT)
    goods.add(order("new", ("mug", 3, 100), ("mug", 9, 80)), AT + DAY)
    return goods


def test_the_most_recent_order_first_then_the_one_before():
    match = sold().take("c", "mug", 100, 4, AT + 2 * DAY)
    assert match.taken == [("new", LineQuantity(1, "mug", 3)), ("old", LineQuantity(1, "mug", 1))]
    assert match.left == 0


def test_units_are_taken_once():
    goods = sold()
    goods.take("c", "mug", 100, 8, AT + 2 * DAY)
    assert goods.take("c", "mug", 100, 1, AT + 2 * DAY).left == 1


def test_an_order_that_came_later_is_not_meant():
    match = sold().take("c", "mug", 100, 4, AT)
    assert match.taken == [("old", LineQuantity(1, "mug", 4))]


def test_why_nothing_was_found():
    goods = sold()
    at = AT + 2 * DAY
    assert goods.take("c", "cup", 100, 1, at).reason == "unmatched"
    assert goods.take("d", "mug", 100, 1, at).reason == "unmatched"
    assert goods.take("c", "mug", 99, 1, at).reason == "price_differs"
    assert goods.take("", "mug", 100, 1, at).reason == "no_customer"
    assert goods.take("c", "mug", 100, 99, at).reason == "partly_unmatched"


def test_a_live_order_is_not_touched():
    goods = sold()
    goods.live.add("new")
    match = goods.take("c", "mug", 100, 6, AT + 2 * DAY)
    assert [order_id for order_id, _ in match.taken] == ["old"]
    assert (match.left, match.reason) == (1, "order_is_live")


def test_what_came_back_before_cannot_come_back_again():
    goods = SoldGoods()
    known = order("old", ("mug", 5, 100))
    back = {1: Return((LineQuantity(1, "mug", 2),), "settled"),
            2: Return((LineQuantity(1, "mug", 2),), "refused")}  # fmt: skip
    returned = State(base="completed", placed=known.placed, cancelled={1: 1}, returns=back)
    goods.add(returned, AT)
    assert goods.take("c", "mug", 100, 5, AT).left == 3


def test_a_guest_has_nothing_to_find():
    goods = SoldGoods()
    goods.add(order("old", ("mug", 5, 100), customer=""), AT)
    assert goods.take("", "mug", 100, 1, AT).left == 1


def test_lines_of_one_order_come_together():
    taken = [("a", LineQuantity(1, "mug", 1)), ("b", LineQuantity(1, "mug", 1)),
             ("a", LineQuantity(1, "mug", 2))]  # fmt: skip
    assert by_order(taken) == {
        "a": (LineQuantity(1, "mug", 3),),
        "b": (LineQuantity(1, "mug", 1),),
    }
