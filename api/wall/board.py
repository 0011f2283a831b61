"""What the wall shows besides figures: the newest orders with their last fact, and what is loud.

Events come at least once and in any order across keys. What stands here depends on which were told,
not on how often or in what order: of an order the fact with the highest position counts, and of all
orders those whose facts stand last in the log are kept.
"""

from collections import OrderedDict
from heapq import heappop, heappush
from typing import Any, NamedTuple, TypeVar

from api.wall.feed import Feed

T = TypeVar("T")

ORDERS = 500
TOTALS = 20_000
"""Of so many orders the total is known, also when they are shown no more."""

LOUD = 50
"""So much is kept of what is loud, and of what was passed; the page keeps as much."""

PLACED = "quire.order.placed.v1"


class Worth(NamedTuple):
    """Money in minor units."""

    amount_minor: int
    currency: str


class Shown(NamedTuple):
    """One line of the wall; `at` is when the fact occurred. Of an order whose beginning was not
    told, nobody knows what it is worth."""

    order_id: str
    what: str
    position: int
    at: str
    total: Worth | None = None


class Board:
    """Puts into the feed what is news."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.orders: dict[str, Shown] = {}
        self._totals: OrderedDict[str, Worth] = OrderedDict()
        self.loud: dict[str, str] = {}
        self.passed: dict[str, Any] = {}
        self._by_age: list[tuple[int, str]] = []

    def happened(
        self, order_id: str, type: str, position: int, at: str, total: Worth | None = None
    ) -> bool:
        """Show it, unless this or a later fact of the order is shown; says whether it was news."""
        total = self._total(order_id, total)
        before = self.orders.get(order_id)
        if before is not None and before.position >= position:
            if before.total is None and total is not None:  # its beginning came late
                self._show(before._replace(total=total))
            return False
        if before is None and len(self.orders) >= ORDERS:
            oldest = self._oldest()
            if oldest.position > position:
                return False
            del self.orders[oldest.order_id]
            self._feed.drop("order", oldest.order_id)
        self._show(Shown(order_id, type, position, at, total))
        return True

    def attention(self, id: str, text: str) -> None:
        """Something that a person should look at; told once, however often the event comes."""
        self._once("attention", self.loud, id, text, {"text": text})

    def threshold(self, id: str, told: dict[str, Any]) -> None:
        """A threshold was passed; told once, however often the event comes."""
        self._once("passed", self.passed, id, told, told)

    def _once(self, kind: str, kept: dict[str, T], id: str, one: T, told: dict[str, Any]) -> None:
        """With its id, so that a page that was told by another life knows it again."""
        if id in kept:
            return
        kept[id] = one
        self._feed.put(kind, id, {"id": id, **told})
        while len(kept) > LOUD:
            first = next(iter(kept))
            del kept[first]
            self._feed.drop(kind, first)

    def _total(self, order_id: str, total: Worth | None) -> Worth | None:
        if total is None:
            return self._totals.get(order_id)
        self._totals[order_id] = total
        if len(self._totals) > TOTALS:
            self._totals.popitem(last=False)
        return total

    def _oldest(self) -> Shown:
        """Whose last fact stands first in the log; what holds no more is thrown away on the way."""
        while True:
            position, order_id = self._by_age[0]
            shown = self.orders.get(order_id)
            if shown is not None and shown.position == position:
                return shown
            heappop(self._by_age)

    def _show(self, shown: Shown) -> None:
        self.orders[shown.order_id] = shown
        heappush(self._by_age, (shown.position, shown.order_id))
        if len(self._by_age) > 4 * ORDERS:
            self._by_age = sorted((each.position, key) for key, each in self.orders.items())
        total = shown.total._asdict() if shown.total else None
        self._feed.put("order", shown.order_id, {**shown._asdict(), "total": total})
