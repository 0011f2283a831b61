"""What each fact of inventory changes: the reservation, the levels and who waits, together."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from domain.inventory import messages as m
from domain.inventory.state import Level, Shelf, Waiting, merged, unmerged
from domain.message import Event, SkuQuantity

EMPTY = Level()


def evolve(state: Shelf, event: Event) -> Shelf:
    match event:
        case m.StockReserved():
            return _reserved(state, event)
        case m.ReservationCommitted(lines=lines, parcel_id=parcel_id):
            before = state.reservation
            committed = before.committed | {parcel_id}
            return Shelf(
                replace(before, lines=_less(before.lines, lines), committed=committed),
                _moved(state.levels, lines, on_hand=-1, reserved=-1),
                state.waiting,
            )
        case m.ReservationReleased():
            return _released(state, event)
        case m.StockRanShort():
            return replace(state, reservation=replace(state.reservation, status="short"))
        case m.StockBackordered():
            return _backordered(state, event)
        case m.StockReceived(sku=sku, quantity=change):
            return _put(state, sku, change)
        case m.StockAdjusted(sku=sku, delta=change):
            return _put(state, sku, change)
        case m.StockRestocked(sku=sku, quantity=change):
            return _put(state, sku, change)
        case m.StockAvailable():
            return state
        case _:
            raise TypeError(f"{type(event).__name__} is not an event of inventory")


def _reserved(state: Shelf, event: m.StockReserved) -> Shelf:
    waiting = state.waiting
    if state.reservation.status == "waiting":
        waiting = _left(waiting, event.order_id, state.reservation.lines)
    return Shelf(
        replace(state.reservation, status="reserved", lines=event.lines),
        _moved(state.levels, event.lines, on_hand=0, reserved=1),
        waiting,
    )


def _backordered(state: Shelf, event: m.StockBackordered) -> Shelf:
    return replace(
        state,
        reservation=replace(state.reservation, status="waiting", lines=event.lines),
        waiting=_queued(state.waiting, event.order_id, event.lines),
    )


def _released(state: Shelf, event: m.ReservationReleased) -> Shelf:
    before = state.reservation
    released = before.released | {event.reference}
    match before.status:
        case "reserved":
            return Shelf(
                replace(before, lines=_less(before.lines, event.lines), released=released),
                _moved(state.levels, event.lines, on_hand=0, reserved=-1),
                state.waiting,
            )
        case "waiting":
            left = _less(before.lines, event.lines)
            return Shelf(
                replace(
                    before,
                    status="waiting" if left else "released",
                    lines=left,
                    released=released,
                ),
                state.levels,
                _requeued(state.waiting, event.order_id, before.lines, left),
            )
        case "none" | "short" | "released":
            status = "released" if before.status == "none" else before.status
            return replace(state, reservation=replace(before, status=status, released=released))


def _put(state: Shelf, sku: str, change: int) -> Shelf:
    level = state.levels.get(sku, EMPTY)
    return replace(
        state, levels={**state.levels, sku: Level(level.on_hand + change, level.reserved)}
    )


def _moved(
    levels: Mapping[str, Level], lines: Iterable[SkuQuantity], *, on_hand: int, reserved: int
) -> dict[str, Level]:
    moved = dict(levels)
    for line in lines:
        level = moved.get(line.sku, EMPTY)
        moved[line.sku] = Level(
            level.on_hand + on_hand * line.quantity, level.reserved + reserved * line.quantity
        )
    return moved


def _less(lines: Iterable[SkuQuantity], gone: Iterable[SkuQuantity]) -> tuple[SkuQuantity, ...]:
    taken = merged(gone)
    return unmerged({sku: n - taken.get(sku, 0) for sku, n in merged(lines).items()})


def _queued(
    waiting: Mapping[str, tuple[Waiting, ...]], order_id: str, lines: tuple[SkuQuantity, ...]
) -> dict[str, tuple[Waiting, ...]]:
    queued = dict(waiting)
    for line in lines:
        place = Waiting(order_id, line.quantity, (line,))
        queued[line.sku] = (*queued.get(line.sku, ()), place)
    return queued


def _left(
    waiting: Mapping[str, tuple[Waiting, ...]], order_id: str, lines: Iterable[SkuQuantity]
) -> dict[str, tuple[Waiting, ...]]:
    left = dict(waiting)
    for line in lines:
        left[line.sku] = tuple(one for one in left.get(line.sku, ()) if one.order_id != order_id)
    return left


def _requeued(
    waiting: Mapping[str, tuple[Waiting, ...]],
    order_id: str,
    before: tuple[SkuQuantity, ...],
    after: tuple[SkuQuantity, ...],
) -> dict[str, tuple[Waiting, ...]]:
    """The order wants less now and keeps its place for what it still wants."""
    wants = merged(after)
    queued = dict(waiting)
    for line in before:
        want = wants.get(line.sku, 0)
        queued[line.sku] = tuple(
            Waiting(order_id, want, (SkuQuantity(line.sku, want),))
            if one.order_id == order_id
            else one
            for one in queued.get(line.sku, ())
            if one.order_id != order_id or want
        )
    return queued
