"""What becomes of an order's parcels, and when the order is complete."""

from domain.message import LineQuantity
from domain.order import messages as m
from domain.order.evolve import evolve
from domain.order.state import ParcelState, State, units, value


def record_handed_over(command: m.RecordHandedOver, state: State) -> list[m.OrderEvent]:
    parcel = state.parcels.get(command.parcel_id)
    if parcel is None or parcel.status != "planned" or not parcel.lines:
        return []
    return [_shipped(state, parcel)]


def record_delivered(command: m.RecordDelivered, state: State) -> list[m.OrderEvent]:
    events = _hand_over_first(command.parcel_id, state)
    for event in events:
        state = evolve(state, event)
    parcel = state.parcels.get(command.parcel_id)
    if parcel is None or parcel.status not in ("shipped", "lost", "returned_to_sender"):
        return events
    order = state.order
    delivered = m.OrderDelivered(
        command.order_id,
        command.parcel_id,
        begins_window(state, command.parcel_id),
        order.customer_id,
        order.contact,
        order.language,
    )
    return [*events, delivered]


def record_parcel_lost(command: m.RecordParcelLost, state: State) -> list[m.OrderEvent]:
    """The customer gets the parcel's share back, once, and only what of it is not owed."""
    events = _hand_over_first(command.parcel_id, state)
    for event in events:
        state = evolve(state, event)
    parcel = state.parcels.get(command.parcel_id)
    if parcel is None or parcel.status not in ("shipped", "lost") or parcel.status == command.cause:
        return events
    owed = state.owed.get(command.parcel_id, 0)
    share = 0 if parcel.paid_back else parcel.amount - owed
    lost = m.OrderParcelLost(
        command.order_id,
        command.parcel_id,
        command.cause,
        parcel.lines,
        state.money(refundable(state, share)),
        f"lost-{command.parcel_id}",
        begins_window(state, command.parcel_id),
    )
    return [*events, lost]


def complete_order(command: m.CompleteOrder, state: State) -> list[m.OrderEvent]:
    """Too early changes nothing; what is still open is waited for, what is owed by a person."""
    if state.base != "confirmed" or state.ending or _on_its_way(state):
        return []
    if state.settled:
        return [completed(state)]
    reason = "payment_failed" if state.owed or state.unrefunded else ""
    return [] if state.window_ended else [m.ReturnWindowEnded(command.order_id, reason)]


def completed(state: State) -> m.OrderCompleted:
    let_go = state.money(state.written_off) if state.written_off else None
    return m.OrderCompleted(state.order.order_id, let_go)


def refundable(state: State, amount: int) -> int:
    """Never more than what was charged and not promised back yet."""
    return max(0, min(amount, state.asked - state.promised))


def price_of(state: State, lines: tuple[LineQuantity, ...]) -> int:
    return value(state.order.lines, units(lines))


def _hand_over_first(parcel_id: str, state: State) -> list[m.OrderEvent]:
    """Whoever has scanned a parcel has it: it was handed over, though nobody said so."""
    parcel = state.parcels.get(parcel_id)
    if parcel is None or parcel.status != "planned" or not parcel.lines:
        return []
    return [_shipped(state, parcel)]


def _shipped(state: State, parcel: ParcelState) -> m.OrderShipped:
    """Charges go with the first parcel; what they take off it may reach into the next."""
    order = state.order
    others = [one for one in state.parcels.values() if one.parcel_id != parcel.parcel_id]
    left = [parcel.lines, *(one.lines for one in others if one.status != "planned")]
    shipped = sum(price_of(state, lines) for lines in left)
    charges = sum(charge.amount.amount_minor for charge in order.charges)
    charged = sum(one.amount for one in others)
    return m.OrderShipped(
        order.order_id,
        parcel.parcel_id,
        parcel.lines,
        state.money(max(0, shipped + charges - charged)),
        last=not any(one.status == "planned" and one.lines for one in others),
        customer_id=order.customer_id,
        contact=order.contact,
        language=order.language,
    )


def _on_its_way(state: State) -> bool:
    return any(
        one.status == "shipped" or (one.status == "planned" and one.lines)
        for one in state.parcels.values()
    )


def begins_window(state: State, parcel_id: str) -> bool:
    """Whether this was the last parcel on its way; a window that has ended does not begin again."""
    return not (state.closed or state.window_ended) and not any(
        one.status == "shipped" or (one.status == "planned" and one.lines)
        for one in state.parcels.values()
        if one.parcel_id != parcel_id
    )
