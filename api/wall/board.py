"""What the wall remembers: the newest orders with their last fact, and the orders of each minute.

Events come at least once. A fact's position in the log says whether it is news of its order, and an
order counts in its minute once; so what stands here is the same however often it was told.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

ORDERS = 500
MINUTES = 1_440
LOUD = 50

PLACED = "quire.order.placed.v1"


class Shown(NamedTuple):
    """One line of the wall."""

    order_id: str
    what: str
    position: int
    at: str


class Minute:
    """Orders by id, with what each is worth in minor units."""

    def __init__(self) -> None:
        self.worth: dict[str, tuple[int, str]] = {}

    def told(self) -> dict[str, Any]:
        revenue: dict[str, int] = {}
        for amount, currency in self.worth.values():
            revenue[currency] = revenue.get(currency, 0) + amount
        return {"orders": len(self.worth), "revenue": revenue}


class Board:
    """Everything, with a feed of what is new for those who watch."""

    def __init__(self) -> None:
        self.orders: OrderedDict[str, Shown] = OrderedDict()
        self.minutes: OrderedDict[str, Minute] = OrderedDict()
        self.loud: deque[str] = deque(maxlen=LOUD)
        self._watching: set[asyncio.Queue[Shown | None]] = set()
        self._closed = False

    def happened(self, order_id: str, type: str, position: int, at: str) -> bool:
        """Show it, unless this or a later fact of the order is shown; says whether it was news."""
        before = self.orders.get(order_id)
        if before is not None and before.position >= position:
            return False
        shown = Shown(order_id, type, position, at)
        self.orders[order_id] = shown
        self.orders.move_to_end(order_id)
        while len(self.orders) > ORDERS:
            self.orders.popitem(last=False)
        for queue in self._watching:
            if not queue.full():  # who reads that slowly opens the page anew
                queue.put_nowait(shown)
        return True

    def placed(self, order_id: str, at: datetime, amount: int, currency: str) -> None:
        """Count the order in the minute at which it was placed, however late that is told."""
        name = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
        self.minutes.setdefault(name, Minute()).worth[order_id] = (amount, currency)
        while len(self.minutes) > MINUTES:
            del self.minutes[min(self.minutes)]

    def per_minute(self) -> Mapping[str, Any]:
        return {name: self.minutes[name].told() for name in sorted(self.minutes)}

    def watch(self) -> "asyncio.Queue[Shown | None]":
        queue: asyncio.Queue[Shown | None] = asyncio.Queue(1_000)
        for shown in self.orders.values():
            queue.put_nowait(shown)
        if self._closed:
            queue.put_nowait(None)
        self._watching.add(queue)
        return queue

    def leave(self, queue: "asyncio.Queue[Shown | None]") -> None:
        self._watching.discard(queue)

    def close(self) -> None:
        """Let go of all who watch, and of who comes to."""
        self._closed = True
        for queue in self._watching:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)


def event_of(shown: Shown) -> bytes:
    """One event of the stream; its id is the position."""
    return b"id: %d\nevent: order\ndata: %s\n\n" % (
        shown.position,
        msgspec.json.encode(shown._asdict()),
    )
