"""Taking an order in, and what the stock answers.

A hold keeps an order from being confirmed: no card is asked anew while it lasts, and money that is
authorised meanwhile waits for its end. Once the order is confirmed its parcels are on their way,
so that it can only be cancelled.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from domain.errors import Refused
from domain.message import Line, Money
from domain.order import messages as m
from domain.order.paying import confirmation, final_failure, request_payment
from domain.order.state import State

MOST_LINES = 2_000
MOST = 2**63 - 1
LONGEST_ID = 200


def place_order(command: m.PlaceOrder, state: State) -> list[m.OrderEvent]:
    if state.placed is not None:
        asked = replace(_placed(command), contact=state.placed.contact)
        if asked == state.placed:  # the sealed contact differs each time it is sealed
            return []
        raise Refused("order_exists", order_id=command.order_id)
    return [_placed(command)]


def confirm_order(command: m.ConfirmOrder, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if state.base == "confirmed":
        return []
    if state.closed or state.ending:
        raise Refused("order_closed", status=state.base)
    declined = state.base == "awaiting_payment" and state.attempt_status == "declined"
    unasked = state.base == "pending" or state.attempt == 1  # no card was ever tried
    if not (unasked or declined) or state.order.payment_method or state.hold:
        raise Refused("payment_needed", status=state.base)
    return [confirmation(state, 0)]


def hold_order(command: m.HoldOrder, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if state.closed:
        raise Refused("order_closed", status=state.base)
    if state.base == "confirmed":
        raise Refused("already_confirmed")
    if state.hold:
        return []
    if state.base != "awaiting_payment" or state.ending:
        raise Refused("not_holdable", status=state.base)
    return [m.OrderHeld(command.order_id, command.reason or "manual")]


def release_hold(command: m.ReleaseHold, state: State) -> list[m.OrderEvent]:
    if state.base == "none":
        raise Refused("order_unknown", order_id=command.order_id)
    if not state.hold:
        return []
    if state.hold in ("backorder", "authorization_expired"):
        raise Refused("hold_ends_by_itself", hold=state.hold)
    released = m.HoldReleased(command.order_id, state.hold)
    if state.base == "awaiting_payment" and state.attempt_status == "authorized":
        return [released, confirmation(state, state.authorized)]
    return [released]


def record_stock_reserved(command: m.RecordStockReserved, state: State) -> list[m.OrderEvent]:
    if state.ending or state.cancelling:
        return []  # it is being cancelled, so the stock goes back
    if state.base == "pending":
        return request_payment(state, state.order.payment_method)
    if state.base == "awaiting_stock":
        asked = request_payment(state, state.order.payment_method)
        return [m.HoldReleased(command.order_id, "backorder"), *asked]
    return []


def record_stock_short(command: m.RecordStockShort, state: State) -> list[m.OrderEvent]:
    if state.base != "pending" or state.ending:
        return []
    order = state.order
    return [
        m.OrderRejected(
            command.order_id,
            "out_of_stock",
            command.shortages,
            customer_id=order.customer_id,
            contact=order.contact,
            language=order.language,
        )
    ]


def record_backordered(command: m.RecordBackordered, state: State) -> list[m.OrderEvent]:
    if state.base != "pending" or state.ending:
        return []
    return [m.OrderHeld(command.order_id, "backorder", command.shortages)]


def expire_order(command: m.ExpireOrder, state: State) -> list[m.OrderEvent]:
    """A timer that comes too late, or while the provider is being asked, changes nothing.

    Only the last one does not let go: it makes the attempt that is under way the last.
    """
    if state.ending or state.cancelling or state.closed:
        return []
    unpaid = state.base == "awaiting_payment" and state.attempt_status == "declined"
    under_way = state.base == "awaiting_payment" and state.attempt_status in ("in_flight", "action")
    if command.last and under_way:
        return [] if state.last_attempt else [m.PaymentWindowEnded(command.order_id)]
    goods = state.base == "awaiting_stock"
    if (command.cause == "unpaid" and unpaid) or (command.cause == "backorder" and goods):
        return [final_failure(state, "expiry", command.cause)]
    return []


def _placed(command: m.PlaceOrder) -> m.OrderPlaced:
    if not command.order_id:
        raise Refused("order_id_missing")
    if _unfit(command.order_id):
        raise Refused("order_id_unfit")
    if not command.lines:
        raise Refused("no_lines")
    if len(command.lines) > MOST_LINES:
        raise Refused("too_many_lines", lines=len(command.lines), most=MOST_LINES)
    total = _sum_of(command.lines, command.currency)
    for charge in command.charges:
        if charge.amount.currency != command.currency:
            raise Refused("currency_mixed", charge=charge.code)
        total += charge.amount.amount_minor
    if total < 0:
        raise Refused("total_negative", total=total)
    if total > MOST:
        raise Refused("total_too_large", total=total)
    return m.OrderPlaced(
        command.order_id,
        command.lines,
        Money(total, command.currency),
        command.payment_method,
        command.customer_id,
        command.contact,
        command.language,
        command.charges,
        command.shortage,
        command.packing,
    )


def _unfit(order_id: str) -> bool:
    """A dot begins the parcel's number in the names of streams."""
    return "." in order_id or len(order_id) > LONGEST_ID or not order_id.isprintable()


def _sum_of(lines: Iterable[Line], currency: str) -> int:
    total = 0
    seen: set[int] = set()
    for line in lines:
        price = line.unit_price
        if price.currency != currency:
            raise Refused("currency_mixed", line=line.line)
        if line.quantity <= 0:
            raise Refused("quantity_not_positive", line=line.line, quantity=line.quantity)
        if line.quantity > MOST:
            raise Refused("quantity_too_large", line=line.line, quantity=line.quantity)
        if price.amount_minor < 0:
            raise Refused("price_negative", line=line.line)
        if not line.sku:
            raise Refused("sku_missing", line=line.line)
        if not line.warehouse:
            raise Refused("warehouse_missing", line=line.line)
        if line.line < 1 or line.line in seen:
            raise Refused("lines_misnumbered", line=line.line)
        seen.add(line.line)
        total += price.amount_minor * line.quantity
    return total
