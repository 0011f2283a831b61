"""Taking back an order, or lines and quantities of it, and all that must come back with them."""

from collections.abc import Collection, Mapping

from domain.errors import Refused
from domain.message import LineQuantity, Parcel
from domain.order import messages as m
from domain.order.shipping import begins_window, refundable
from domain.order.state import State, less, named, out_of, units, value


def cancel_order(command: m.CancelOrder, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if state.closed:
        raise Refused("order_closed", status=state.base)
    if state.ending or any(one.whole for one in state.cancelling.values()):
        if command.lines:
            raise Refused("nothing_to_cancel")
        return []  # it is being cancelled already
    wanted = _wanted(command, state)
    request = _request(state, wanted, command.reason, command.parcels_first)
    if request.parcels or (request.whole and state.in_flight):
        return [request]
    void = request.whole and state.attempt_status in ("action", "authorized")
    number, lines = request.cancellation, request.lines
    return [request, _lines_cancelled(state, number, lines, command.reason, void=void)]


def stop_parcels(state: State, reason: str) -> list[m.OrderEvent]:
    """Takes back all that has not left."""
    wanted = state.cancellable()
    return [_request(state, wanted, reason)] if wanted else []


def record_shipment_cancelled(
    command: m.RecordShipmentCancelled, state: State
) -> list[m.OrderEvent]:
    asked = state.cancelling.get(command.cancellation)
    parcel = _asked_of(state, command.cancellation, command.parcel_id)
    if asked is None or parcel is None:
        return []
    left = less(_unshipped(state), units(parcel.lines))
    void = not left and state.authorized > state.asked and not state.voided
    return [
        _lines_cancelled(
            state,
            command.cancellation,
            parcel.lines,
            asked.reason,
            void=void,
            parcel_id=parcel.parcel_id,
        )
    ]


def record_shipment_kept(command: m.RecordShipmentKept, state: State) -> list[m.OrderEvent]:
    if _asked_of(state, command.cancellation, command.parcel_id) is None:
        return []
    return [
        m.CancellationRefused(
            command.order_id, command.cancellation, "already_shipped", command.parcel_id
        )
    ]


def record_reservation_released(
    command: m.RecordReservationReleased, state: State
) -> list[m.OrderEvent]:
    if f"release:{command.reference}" not in state.awaited:
        return []
    return [m.OrderStockReleased(command.order_id, command.reference)]


def _wanted(command: m.CancelOrder, state: State) -> Mapping[int, int]:
    free = state.cancellable()
    if not command.lines:
        if not free:
            raise Refused(_nothing_left(state))
        return free
    skus = {line.line: line.sku for line in state.order.lines}
    for line in command.lines:
        if skus.get(line.line) != line.sku:
            raise Refused("line_unknown", line=line.line, sku=line.sku)
        if line.quantity <= 0:
            raise Refused("quantity_not_positive", line=line.line, quantity=line.quantity)
    wanted = units(command.lines)
    remaining = state.remaining()
    for line, quantity in wanted.items():
        if quantity > free.get(line, 0):
            shipped = quantity <= remaining.get(line, 0) and bool(_shipped_units(state).get(line))
            code = "already_shipped" if shipped else "too_many"
            raise Refused(code, line=line, asked=quantity, left=free.get(line, 0))
    return wanted


def _request(
    state: State, wanted: Mapping[int, int], reason: str, first: Collection[str] = ()
) -> m.CancellationRequested:
    return m.CancellationRequested(
        state.order.order_id,
        state.cancellations + 1,
        named(state.order.lines, wanted),
        not less(state.remaining(), wanted),
        _parcels_with(state, wanted, first),
        reason,
    )


def _nothing_left(state: State) -> str:
    return "already_shipped" if _shipped_units(state) else "nothing_to_cancel"


def _shipped_units(state: State) -> dict[int, int]:
    shipped: dict[int, int] = {}
    for parcel in state.parcels.values():
        if parcel.status != "planned":
            for line in parcel.lines:
                shipped[line.line] = shipped.get(line.line, 0) + line.quantity
    return shipped


def _unshipped(state: State) -> dict[int, int]:
    return less(state.remaining(), _shipped_units(state))


def _parcels_with(
    state: State, wanted: Mapping[int, int], first: Collection[str]
) -> tuple[Parcel, ...]:
    """Out of which parcels `wanted` has to be taken: `first`, then the others in their order.

    What a parcel is asked for already it is not asked for again.
    """
    left = dict(wanted)
    found: list[Parcel] = []
    for parcel in sorted(state.parcels.values(), key=lambda one: one.parcel_id not in first):
        if parcel.status != "planned" or not left:
            continue
        free = units(parcel.lines)
        for cancellation in state.cancelling.values():
            for asked in cancellation.parcels:
                if asked.parcel_id == parcel.parcel_id:
                    free = less(free, units(asked.lines))
        taken = {line: min(free[line], left[line]) for line in free if line in left}
        if taken:
            found.append(Parcel(parcel.parcel_id, named(state.order.lines, taken)))
            left = less(left, taken)
    return tuple(found)


def _asked_of(state: State, cancellation: int, parcel_id: str) -> Parcel | None:
    asked = state.cancelling.get(cancellation)
    if asked is None:
        return None
    return next((one for one in asked.parcels if one.parcel_id == parcel_id), None)


def _lines_cancelled(
    state: State,
    number: int,
    lines: tuple[LineQuantity, ...],
    reason: str,
    *,
    void: bool,
    parcel_id: str = "",
) -> m.OrderLinesCancelled:
    """`refund` is what was charged beyond what the rest of the order costs."""
    order = state.order
    left = less(state.remaining(), units(lines))
    charges = sum(charge.amount.amount_minor for charge in order.charges)
    costs = max(0, value(order.lines, left) + charges) if left else 0
    overpaid = state.asked - state.promised - costs
    return m.OrderLinesCancelled(
        order.order_id,
        number,
        lines,
        state.money(value(order.lines, units(lines))),
        state.money(refundable(state, overpaid)),
        void=void,
        whole=not left,
        reason=reason,
        parcel_id=parcel_id,
        complete=bool(left) and _nothing_left_of(state, lines, parcel_id),
    )


def _nothing_left_of(state: State, lines: tuple[LineQuantity, ...], parcel_id: str) -> bool:
    """Whether this was the last of what was on its way."""
    parcel = state.parcels.get(parcel_id)
    if parcel is None or out_of(parcel.lines, lines):
        return False
    return begins_window(state, parcel_id)
