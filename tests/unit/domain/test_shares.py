"""Orders of several parcels: each is charged, lost, sent back, cancelled and returned by itself,
and the sum is right to the penny."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.message import Charge, Line, LineQuantity
from domain.order import messages as order
from domain.order.state import units
from domain.order.status import status_of
from domain.shipping.messages import ReceiveReturn, RecordScan, ScanStatus
from tests.books import check_at_rest, check_books
from tests.shop import line, place, pounds, stocked
from tests.world import World

ORDER = "o-1"
DELIVERED: tuple[ScanStatus, ...] = ("handed_over", "delivered")
LOST: tuple[ScanStatus, ...] = ("handed_over", "lost")
BACK: tuple[ScanStatus, ...] = ("handed_over", "returned_to_sender")
FOUND: tuple[ScanStatus, ...] = ("handed_over", "lost", "delivered")
FOUND_AND_BACK: tuple[ScanStatus, ...] = ("handed_over", "lost", "returned_to_sender")


def north(number: int, sku: str, quantity: int, minor: int = 500) -> Line:
    return replace(line(number, sku, quantity, minor), warehouse="north")


def two_parcels(*charges: Charge) -> World:
    """Two mugs from here (.1), a pen from the north (.2); nothing has left yet."""
    world = stocked(mug=5, pen=5)
    world.tell(place(ORDER, line(1, "mug", 2), north(2, "pen", 1, 300), charges=charges))
    return world


def axes(world: World) -> tuple[str, str, str]:
    return status_of(world.orders[ORDER])


def leaves(world: World, parcel: str, *statuses: ScanStatus) -> None:
    """The carrier reports one parcel of its own accord."""
    for status in statuses:
        scan = f"{parcel}/{status}"
        world.tell(RecordScan(ORDER, f"{ORDER}.{parcel}", scan, status, world.now))
        world.now += timedelta(minutes=1)
        check_books(world)


def money(world: World) -> tuple[int, int]:
    books = world.provider
    return books.total("capture", ORDER), books.total("refund", ORDER)


def test_each_hand_over_takes_its_share():
    world = two_parcels(Charge("postage", pounds(250)))
    leaves(world, "2", "handed_over")
    assert axes(world) == ("confirmed", "partially_shipped", "partially_captured")
    assert money(world) == (550, 0)  # the charges go with the first that leaves
    leaves(world, "1", "handed_over")
    assert axes(world) == ("confirmed", "shipped", "captured")
    assert money(world) == (1_550, 0)


def test_it_is_delivered_when_all_of_it_is():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    assert axes(world)[1] == "partially_shipped"
    leaves(world, "2", "handed_over")
    assert axes(world)[1] == "shipped"
    assert not [name for name in world.timers if name[0] == f"order-{ORDER}"], "no window yet"
    leaves(world, "2", "delivered")
    assert axes(world) == ("confirmed", "delivered", "captured")
    world.run_out()
    assert axes(world)[0] == "completed"
    check_at_rest(world)


def test_a_lost_parcel_pays_back_its_share_and_the_other_arrives():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    leaves(world, "2", *LOST)
    assert axes(world) == ("confirmed", "delivered", "partially_refunded")
    assert money(world) == (1_300, 300)
    world.run_out()
    check_at_rest(world)


def test_a_parcel_back_at_the_sender_goes_on_the_shelf():
    world = two_parcels()
    leaves(world, "1", *BACK)
    leaves(world, "2", *DELIVERED)
    assert money(world) == (1_300, 1_000)
    assert (world.levels["mug"].on_hand, world.levels["pen"].on_hand) == (5, 4)


def test_a_parcel_that_was_lost_and_comes_back_is_paid_back_once():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    leaves(world, "2", *FOUND_AND_BACK)
    assert money(world) == (1_300, 300)
    assert world.levels["pen"].on_hand == 5
    world.run_out()
    assert axes(world)[0] == "completed"
    check_at_rest(world)


def test_what_has_not_left_can_be_cancelled_though_another_parcel_has():
    world = two_parcels()
    leaves(world, "1", "handed_over")
    world.tell(order.CancelOrder(ORDER))
    assert world.orders[ORDER].cancelled == {2: 1}
    assert axes(world) == ("confirmed", "shipped", "captured")
    assert money(world) == (1_000, 0)
    assert world.provider.total("void", ORDER) == 300
    assert world.levels["pen"].reserved == 0
    leaves(world, "1", "delivered")
    world.run_out()
    assert axes(world)[0] == "completed"
    check_at_rest(world)


def test_what_has_left_cannot():
    world = two_parcels()
    leaves(world, "1", "handed_over")
    assert world.tell(order.CancelOrder(ORDER, (LineQuantity(1, "mug", 1),))) == "already_shipped"
    assert axes(world)[0] == "confirmed"


def test_one_parcel_stops_and_the_other_was_faster():
    """Both are asked to stop; the carrier has one of them by then."""
    world = two_parcels()
    world.send(order.CancelOrder(ORDER))
    world.step(("order", ORDER))
    first = world.queues["shipping", ORDER]
    scan = RecordScan(ORDER, f"{ORDER}.2", "s-1", "handed_over", world.now)
    world.send(scan)
    first.rotate(1)  # it came before the wish to stop
    world.drain()
    assert world.orders[ORDER].cancelled == {1: 2}
    assert axes(world) == ("confirmed", "shipped", "captured")
    assert money(world) == (300, 0)
    assert not world.orders[ORDER].cancelling
    leaves(world, "2", "delivered")
    world.run_out()
    check_at_rest(world)


def test_a_parcel_that_could_not_be_charged_is_not_paid_back_with_the_others_money():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    world.provider.script.append("decline")
    leaves(world, "2", *LOST)
    assert money(world) == (1_000, 0)
    world.run_out()
    assert axes(world)[0] == "completed"
    check_at_rest(world)


def test_a_parcel_that_was_paid_back_and_then_found_is_not_paid_back_again():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    leaves(world, "2", *FOUND)
    assert money(world) == (1_300, 300)
    comes_back(world, LineQuantity(2, "pen", 1))
    assert money(world) == (1_300, 300)
    comes_back(world, LineQuantity(1, "mug", 2))
    assert money(world) == (1_300, 1_300)
    assert axes(world) == ("confirmed", "returned", "refunded")
    assert (world.levels["mug"].on_hand, world.levels["pen"].on_hand) == (5, 5)


def test_what_has_not_arrived_cannot_be_returned():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    early = order.RequestReturn(ORDER, (LineQuantity(2, "pen", 1),))
    assert world.tell(early) == "too_many"
    comes_back(world, LineQuantity(1, "mug", 1))
    assert axes(world)[1] == "partially_returned"
    leaves(world, "2", *DELIVERED)
    comes_back(world, LineQuantity(1, "mug", 1), LineQuantity(2, "pen", 1))
    assert axes(world) == ("confirmed", "returned", "refunded")


def test_what_cannot_be_sold_is_paid_back_and_stays_off_the_shelf():
    world = two_parcels()
    leaves(world, "1", *DELIVERED)
    two, one = LineQuantity(1, "mug", 2), LineQuantity(1, "mug", 1)
    world.tell(order.RequestReturn(ORDER, (two,)))
    world.tell(ReceiveReturn(ORDER, 1, (two,), "one is torn", (one,)))
    assert money(world) == (1_000, 1_000)
    assert world.levels["mug"].on_hand == 4
    more = ReceiveReturn(ORDER, 2, (one,), "", (two,))
    assert world.tell(more) == "too_many", "not more than came"


def comes_back(world: World, *lines: LineQuantity) -> None:
    """Asked for, approved, received."""
    number = len(world.orders[ORDER].returns) + 1
    world.tell(order.RequestReturn(ORDER, lines))
    world.tell(order.ApproveReturn(ORDER, number))
    world.tell(ReceiveReturn(ORDER, number, lines))
    check_books(world)


baskets = st.lists(
    st.tuples(st.integers(1, 24), st.integers(0, 999), st.booleans()), min_size=1, max_size=4
)
journeys = st.lists(
    st.sampled_from((DELIVERED, DELIVERED, LOST, BACK, FOUND, FOUND_AND_BACK)), max_size=8
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(baskets, journeys, st.sampled_from((0, 290, -333)), st.data())
def test_the_shares_add_up_to_the_penny(
    basket: list[tuple[int, int, bool]],
    ways: list[tuple[ScanStatus, ...]],
    charge: int,
    data: st.DataObject,
):
    """Parcels leave one after the other, each to its own end; a part of what has not left is
    cancelled in between, and a part of what arrived comes back."""
    lines = [
        (north if far else line)(number, f"sku{number}", quantity, minor)
        for number, (quantity, minor, far) in enumerate(basket, 1)
    ]
    total = sum(one.unit_price.amount_minor * one.quantity for one in lines)
    charge = max(charge, -total)
    world = stocked(**{one.sku: one.quantity for one in lines})
    charges = (Charge("charge", pounds(charge)),) if charge else ()
    world.tell(place(ORDER, *lines, charges=charges))
    for number, parcel_id in enumerate(sorted(world.orders[ORDER].parcels)):
        if world.orders[ORDER].parcels[parcel_id].lines and not world.orders[ORDER].closed:
            way = ways[number] if number < len(ways) else DELIVERED
            leaves(world, parcel_id.removeprefix(f"{ORDER}."), *way)
        state = world.orders[ORDER]
        free = state.cancellable()
        if free and data.draw(st.booleans()):
            taken = {n: data.draw(st.integers(0, quantity)) for n, quantity in free.items()}
            wanted = tuple(
                LineQuantity(one.line, one.sku, taken[one.line])
                for one in lines
                if taken.get(one.line)
            )
            if wanted:
                first = data.draw(st.lists(st.sampled_from(sorted(state.parcels)), max_size=2))
                world.tell(order.CancelOrder(ORDER, wanted, parcels_first=tuple(first)))
                check_books(world)

    state = world.orders[ORDER]
    left = [one for one in state.parcels.values() if one.status != "planned"]
    shipped = units(one for parcel in left for one in parcel.lines)
    worth = sum(one.unit_price.amount_minor * shipped.get(one.line, 0) for one in lines)
    taken_by = world.provider.by_subject("capture", ORDER)
    assert sum(taken_by.values()) == (max(0, worth + charge) if left else 0)
    back = world.provider.by_subject("refund", ORDER)
    for parcel in left:
        was_lost = parcel.paid_back
        assert back.get(f"lost-{parcel.parcel_id}", 0) == was_lost * taken_by.get(
            parcel.parcel_id, 0
        )

    paid = {
        one.line: sum(
            units(parcel.lines).get(one.line, 0) for parcel in left if not parcel.paid_back
        )
        for one in lines
    }
    kept = sum(taken_by.values()) - sum(back.values())
    for one in lines:
        arrived = state.returnable().get(one.line, 0)
        for part in (arrived // 2, arrived - arrived // 2):
            if part:
                comes_back(world, LineQuantity(one.line, one.sku, part))
    captured, refunded = money(world)
    owed = sum(one.unit_price.amount_minor * paid[one.line] for one in lines)
    assert captured - refunded == max(0, kept - owed), "all that came back and was paid for"
    world.run_out()
    assert world.orders[ORDER].closed
    assert world.orders[ORDER].promised == refunded, "each promise was kept, and made once"
    check_at_rest(world)
