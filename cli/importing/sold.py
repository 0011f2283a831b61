"""What earlier orders still hold, so that a cancelled line finds the order that it takes back."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.message import LineQuantity
from domain.order.state import State, units

Key = tuple[str, str, int]


class _Sold:
    """Units of one line of one order that nobody has taken back."""

    __slots__ = ("at", "left", "line", "order_id")

    def __init__(self, order_id: str, at: datetime, line: int, left: int) -> None:
        self.order_id = order_id
        self.at = at
        self.line = line
        self.left = left


class Match(NamedTuple):
    """`taken` from which orders; `left` units found none, and why."""

    taken: list[tuple[str, LineQuantity]]
    left: int
    reason: str


class SoldGoods:
    """By customer, code and price: a refund at another price would not be what the file says."""

    def __init__(self) -> None:
        self._sold: defaultdict[Key, list[_Sold]] = defaultdict(list)
        self._units: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.live: set[str] = set()

    def add(self, state: State, at: datetime) -> None:
        """Take in an order as it is now; a guest's cannot be told from another guest's."""
        order = state.order
        if not order.customer_id or state.base == "cancelled":
            return
        gone = dict(state.cancelled)
        for one in state.returns.values():
            if one.status != "refused":
                for line, quantity in units(one.lines).items():
                    gone[line] = gone.get(line, 0) + quantity
        for line in order.lines:
            left = line.quantity - gone.get(line.line, 0)
            if left > 0:
                key = (order.customer_id, line.sku, line.unit_price.amount_minor)
                self._sold[key].append(_Sold(order.order_id, at, line.line, left))
                self._units[order.customer_id, line.sku] += left

    def take(self, customer: str, code: str, price: int, wanted: int, at: datetime) -> Match:
        """Find `wanted` units, the most recent order first, spread over several."""
        taken: list[tuple[str, LineQuantity]] = []
        reason = "unmatched"
        sold = self._sold.get((customer, code, price), [])
        for one in reversed(sold):
            if not wanted:
                break
            if one.at > at or not one.left:
                continue
            if one.order_id in self.live:
                reason = "order_is_live"
                continue
            units_here = min(one.left, wanted)
            one.left -= units_here
            wanted -= units_here
            self._units[customer, code] -= units_here
            taken.append((one.order_id, LineQuantity(one.line, code, units_here)))
        while sold and not sold[-1].left:
            sold.pop()
        if wanted and reason == "unmatched":
            reason = self._why(customer, code, bool(taken))
        return Match(taken, wanted, reason)

    def _why(self, customer: str, code: str, some: bool) -> str:
        if not customer:
            return "no_customer"
        if some:
            return "partly_unmatched"
        return "price_differs" if self._units.get((customer, code), 0) else "unmatched"


def by_order(taken: Iterable[tuple[str, LineQuantity]]) -> dict[str, tuple[LineQuantity, ...]]:
    """One cancellation or return an order, each line of it once."""
    orders: defaultdict[str, dict[tuple[int, str], int]] = defaultdict(dict)
    for order_id, line in taken:
        lines = orders[order_id]
        lines[line.line, line.sku] = lines.get((line.line, line.sku), 0) + line.quantity
    return {
        order_id: tuple(LineQuantity(line, sku, n) for (line, sku), n in lines.items())
        for order_id, lines in orders.items()
    }
