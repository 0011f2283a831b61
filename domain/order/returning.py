"""Goods that come back from the customer."""

from domain.errors import Refused
from domain.message import LineQuantity
from domain.order import messages as m
from domain.order.shipping import price_of, refundable
from domain.order.state import Return, State, named, out_of, units


def request_return(command: m.RequestReturn, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if state.base not in ("confirmed", "completed") or state.ending:
        raise Refused("order_closed", status=state.base)
    over = state.base == "completed" or state.window_ended
    if over and command.window != "none":
        raise Refused("return_window_closed")
    if not command.lines:
        raise Refused("no_lines")
    skus = {line.line: line.sku for line in state.order.lines}
    for line in command.lines:
        if skus.get(line.line) != line.sku:
            raise Refused("line_unknown", line=line.line, sku=line.sku)
        if line.quantity <= 0:
            raise Refused("quantity_not_positive", line=line.line, quantity=line.quantity)
    if not any(one.status == "delivered" for one in state.parcels.values()):
        raise Refused("not_delivered")
    free = state.returnable()
    wanted = units(command.lines)
    for line, quantity in wanted.items():
        if quantity > free.get(line, 0):
            raise Refused("too_many", line=line, asked=quantity, left=free.get(line, 0))
    number = len(state.returns) + 1
    lines = named(state.order.lines, wanted)
    return [m.ReturnRequested(command.order_id, number, lines, command.reason)]


def approve_return(command: m.ApproveReturn, state: State) -> list[m.OrderEvent]:
    one = _return(command.return_no, state)
    match one.status:
        case "requested":
            return [_approved(command, one, state)]
        case "approved" | "settled":
            return []
        case "refused":
            raise Refused("return_closed", return_no=command.return_no)


def refuse_return(command: m.RefuseReturn, state: State) -> list[m.OrderEvent]:
    match _return(command.return_no, state).status:
        case "requested" | "approved":
            return [m.ReturnRefused(command.order_id, command.return_no, command.reason)]
        case "refused":
            return []
        case "settled":
            raise Refused("return_closed", return_no=command.return_no)


def record_return_received(command: m.RecordReturnReceived, state: State) -> list[m.OrderEvent]:
    """What came in is refunded as far as it was paid for, at most what was announced; coming in
    unasked approves it."""
    one = state.returns.get(command.return_no)
    if one is None or one.status in ("refused", "settled"):
        return []
    approved: list[m.OrderEvent] = []
    if one.status == "requested":
        approved = [_approved(command, one, state)]
    announced = units(one.lines)
    came = {
        line: min(quantity, announced.get(line, 0))
        for line, quantity in units(command.lines).items()
    }
    lines = named(state.order.lines, {line: n for line, n in came.items() if n > 0})
    worth = price_of(state, state.refundable_lines(lines))
    waived = min(worth, sum(state.owed.values()))
    settled = m.ReturnSettled(
        command.order_id,
        command.return_no,
        lines,
        state.money(refundable(state, worth - waived)),
        f"return-{command.return_no}",
        state.money(waived) if waived else None,
        _within(command.unsellable, lines),
    )
    return [*approved, settled]


def _within(
    some: tuple[LineQuantity, ...], lines: tuple[LineQuantity, ...]
) -> tuple[LineQuantity, ...]:
    """What of `some` is among `lines`."""
    return out_of(lines, out_of(lines, some))


def _approved(
    command: m.ApproveReturn | m.RecordReturnReceived, one: Return, state: State
) -> m.ReturnApproved:
    """An order that is open waits for the goods no longer than for another return."""
    return m.ReturnApproved(
        command.order_id, command.return_no, one.lines, awaited=not state.closed
    )


def _return(number: int, state: State) -> Return:
    if state.base == "none":
        raise Refused("order_unknown")
    one = state.returns.get(number)
    if one is None:
        raise Refused("return_unknown", return_no=number)
    return one
