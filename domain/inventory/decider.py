"""Stock: all lines of an order are promised together or not at all; who waits keeps the place."""

from typing import assert_never

from domain.decider import Decider
from domain.errors import Refused
from domain.inventory import messages as m
from domain.inventory.evolve import evolve
from domain.inventory.state import Level, Shelf, merged, unmerged
from domain.message import Command, Event, Shortage, SkuQuantity

MOST = 2**63 - 1
TOLD_AT_ONCE = 500  # a fact has to fit into one record, however many wait
EMPTY = Level()


def decide(command: Command, state: Shelf) -> list[Event]:
    match command:
        case m.ReserveStock():
            return _reserve(command, state)
        case m.CommitReservation():
            return _commit(command, state)
        case m.ReleaseReservation():
            return _release(command, state)
        case m.ReceiveStock(sku=sku, quantity=quantity, reference=reference):
            _check_quantity(quantity)
            return _arrived(m.StockReceived(sku, quantity, reference), state)
        case m.AdjustStock():
            return _adjust(command, state)
        case m.RestockReturn(sku=sku, quantity=quantity):
            _check_quantity(quantity)
            back = m.StockRestocked(sku, quantity, command.order_id, command.reference)
            return _arrived(back, state)
        case _:
            raise TypeError(f"{type(command).__name__} is not a command of inventory")


def _reserve(command: m.ReserveStock, state: Shelf) -> list[Event]:
    reservation = state.reservation
    match reservation.status:
        case "reserved" | "short":
            return []
        case "released":
            raise Refused("reservation_released", order_id=command.order_id)
        case "waiting":
            wanted = reservation.lines  # the wish may be older than a cancellation of lines
        case "none":
            wanted = _each_sku_once(command.lines)
        case _:
            assert_never(reservation.status)
    shortages = tuple(
        Shortage(line.sku, line.quantity, max(0, free))
        for line in wanted
        if (free := _free_for(command.order_id, line.sku, state)) < line.quantity
    )
    if not shortages:
        return [m.StockReserved(command.order_id, wanted)]
    if reservation.status == "waiting":
        return []  # keeps its place
    if command.shortage == "backorder":
        return [m.StockBackordered(command.order_id, wanted, shortages)]
    return [m.StockRanShort(command.order_id, shortages)]


def _each_sku_once(lines: tuple[SkuQuantity, ...]) -> tuple[SkuQuantity, ...]:
    if len({line.sku for line in lines}) == len(lines):
        return lines
    return unmerged(merged(lines))


def _free_for(order_id: str, sku: str, state: Shelf) -> int:
    """What is left of a sku after the wants of all who came earlier."""
    level = state.levels.get(sku, EMPTY)
    free = level.on_hand - level.reserved
    for one in state.waiting.get(sku, ()):
        if one.order_id == order_id:
            break
        free -= one.quantity
    return free


def _commit(command: m.CommitReservation, state: Shelf) -> list[Event]:
    reservation = state.reservation
    if command.parcel_id in reservation.committed:
        return []
    if reservation.status != "reserved":
        raise Refused("not_reserved", order_id=command.order_id, status=reservation.status)
    held = merged(reservation.lines)
    for sku, quantity in merged(command.lines).items():
        if quantity > held.get(sku, 0):
            raise Refused("too_many", sku=sku, asked=quantity, reserved=held.get(sku, 0))
    return [m.ReservationCommitted(command.order_id, command.lines, command.parcel_id)]


def _release(command: m.ReleaseReservation, state: Shelf) -> list[Event]:
    """What was never reserved is released too: a tombstone refuses the reservation that is late."""
    reservation = state.reservation
    if command.reference in reservation.released:
        return []
    if reservation.status in ("reserved", "waiting"):
        held = merged(reservation.lines)
        asked = merged(command.lines) if command.lines else held
        lines = unmerged({sku: min(held.get(sku, 0), n) for sku, n in asked.items()})
    else:
        lines = ()
    released = m.ReservationReleased(command.order_id, lines, command.cause, command.reference)
    if not any(state.waiting.values()):
        return [released]
    after = evolve(state, released)
    return [
        released,
        *(notice for line in reservation.lines for notice in _notices(line.sku, after)),
    ]


def _adjust(command: m.AdjustStock, state: Shelf) -> list[Event]:
    level = state.levels.get(command.sku, EMPTY)
    if command.delta == 0:
        return []
    left = level.on_hand + command.delta
    if left < level.reserved:
        raise Refused("below_reserved", on_hand=level.on_hand, reserved=level.reserved)
    adjusted = m.StockAdjusted(command.sku, command.delta, command.reason)
    return _arrived(adjusted, state)


def _arrived(
    event: m.StockReceived | m.StockAdjusted | m.StockRestocked, state: Shelf
) -> list[Event]:
    """The goods, and word to those who can be served now."""
    after = evolve(state, event)
    if after.levels[event.sku].on_hand > MOST:
        raise Refused("quantity_too_large", sku=event.sku)
    return [event, *_notices(event.sku, after)]


def _notices(sku: str, state: Shelf) -> list[m.StockAvailable]:
    """Name the longest run of those at the front whom the free stock covers."""
    waiting = state.waiting.get(sku, ())
    level = state.levels.get(sku, EMPTY)
    free = level.on_hand - level.reserved
    served: list[m.WaitingOrder] = []
    for one in waiting:
        free -= one.quantity
        if free < 0:
            break
        served.append(m.WaitingOrder(one.order_id, one.lines))
    return [
        m.StockAvailable(sku, tuple(served[begin : begin + TOLD_AT_ONCE]))
        for begin in range(0, len(served), TOLD_AT_ONCE)
    ]


def _check_quantity(quantity: int) -> None:
    if quantity <= 0:
        raise Refused("quantity_not_positive", quantity=quantity)
    if quantity > MOST:
        raise Refused("quantity_too_large", quantity=quantity)


decider: Decider[Command, Event, Shelf] = Decider(Shelf(), decide, evolve)
