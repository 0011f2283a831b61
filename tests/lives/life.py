"""One life: a beginning, what the tape says, and an end at which everything settles."""

from domain.inventory.messages import ReceiveStock
from domain.order import messages as order
from domain.shipping.messages import ReceiveReturn, RetryLabel
from tests.books import check_at_rest, check_books
from tests.lives.moves import MOVES, SKUS, places
from tests.lives.tape import Tape, TapeEnds
from tests.world import World


def live(data: bytes, told: list[str]) -> World:
    """Plays `data` to its end, checking after each step; `told` gets a line for each move."""
    world, tape = World(), Tape(data)
    for sku in SKUS:
        world.tell(ReceiveStock(sku, 24))
    try:
        told.append(places(world, tape))
        while True:
            told.append(tape.one_of(MOVES)(world, tape))
            check_books(world)
    except TapeEnds:
        pass
    settle(world, told)
    check_books(world)
    check_at_rest(world)
    return world


def settle(world: World, told: list[str]) -> None:
    """The outside works again, people answer what waits for them, time runs out."""
    told.append("faults end")
    world.provider.script.clear()
    world.carrier.script.clear()
    world.post.clear()
    world.provider.down_until = world.now
    world.drain()
    for order_id, state in list(world.orders.items()):
        if state.hold == "manual":
            world.tell(order.ReleaseHold(order_id))
    _see_to_refused(world)
    world.run_out()
    _answer_returns(world)
    world.run_out()
    for order_id in world.orders:
        _settle_owed(world, order_id)
    for notice in list(world.provider.notices):  # the last of them come as late as can be
        world.tell(notice)
    world.run_out()


def _see_to_refused(world: World) -> None:
    """The label of every other parcel that the carrier refused is wanted again, the rest go."""
    refused = [name for name, one in world.parcels.items() if one.refused and not one.cancelled]
    for number, stream in enumerate(refused):
        parcel_id = stream.removeprefix("shipment-")
        order_id = parcel_id.rpartition(".")[0]
        if number % 2:
            lines = world.parcels[stream].lines
            world.tell(order.CancelOrder(order_id, lines, parcels_first=(parcel_id,)))
        if world.parcels[stream].refused and not world.parcels[stream].cancelled:
            world.tell(RetryLabel(order_id, parcel_id))


def _answer_returns(world: World) -> None:
    for order_id, state in list(world.orders.items()):
        for number, one in state.returns.items():
            if one.status == "requested":
                world.tell(order.RefuseReturn(order_id, number))
            elif one.status == "approved":
                world.tell(ReceiveReturn(order_id, number, one.lines))


def _settle_owed(world: World, order_id: str) -> None:
    """Once more, then on another card, then no more."""
    for wish in (
        order.SettleOrder(order_id),
        order.SettleOrder(order_id, "tok_other"),
        order.SettleOrder(order_id, write_off=True),
    ):
        state = world.orders[order_id]
        if state.owed or state.unrefunded:
            world.tell(wish)
            world.run_out()
