"""The window: orders and revenue by the minute at which they were placed, however late told.

A minute is what was read of it (everything up to a position of the log) and what was told with a
higher position, each position once. So it comes to the same however often and in whatever order it
is told, and reading it anew makes it right, whatever was never told: another wall may have been.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.wall.feed import Feed
from api.wall.thresholds import Threshold
from store.views.minutes import Tally

MINUTES = 1_440
SHOWN = 60
TOLD = 300_000
"""So many orders are known one by one at the most, about 40 MB: only a wall that cannot read has
more than a few, and forgets its oldest minutes then."""


class Minute:
    """`read_to` is the position up to which `read` counts; -1 when nothing was read."""

    def __init__(self) -> None:
        self.read_to = -1
        self.read = Tally(0, {})
        self.told: dict[int, tuple[int, str]] = {}
        self.sum = Tally(0, {})
        self.awaited = False
        """Whether an order of it was told in this life, so that somebody has begun to read it."""
        self.over = False
        """Whether it was read so late that no other order of it comes."""
        self.owners: dict[Threshold, int | None] = {}
        """Which order, by its position, was told when the threshold was seen to be passed."""
        self.taken: set[Threshold] = set()

    def add(self, position: int, amount: int, currency: str) -> bool:
        """Count an order that was told; says whether it was news."""
        if position <= self.read_to or position in self.told:
            return False
        self.told[position] = (amount, currency)
        _count(self.sum, amount, currency)
        return True

    def base(self, read_to: int, read: Tally) -> None:
        """Stand on what was read, if that is newer; of what was told, keep what it has not."""
        if read_to <= self.read_to:
            return
        self.read_to, self.read = read_to, read
        self.told = {position: each for position, each in self.told.items() if position > read_to}
        self.sum = Tally(read.orders, dict(read.revenue))
        for amount, currency in self.told.values():
            _count(self.sum, amount, currency)


def _count(tally: Tally, amount: int, currency: str) -> None:
    tally.orders += 1
    tally.revenue[currency] = tally.revenue.get(currency, 0) + amount


class Window:
    """The newest minutes in which there were orders; by their names, which sort as they follow."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._minutes: dict[str, Minute] = {}
        self._told = 0
        self._shown_from = ""

    def __getitem__(self, name: str) -> Minute:
        return self._minutes[name]

    def add(self, name: str, position: int, amount: int, currency: str) -> Minute | None:
        """Count an order; gives its minute, none when that is older than all that are kept."""
        minute = self._minute(name)
        if minute is not None and minute.add(position, amount, currency):
            self._told += 1
            self._show(name, minute)
            self._forget()
        return self._minutes.get(name)

    def base(self, name: str, read_to: int, read: Tally, over: bool) -> None:
        """Take in what was read of a minute, and whether that was so late that nothing follows."""
        minute = self._minute(name)
        if minute is None:
            return
        told, shown = len(minute.told), minute.sum
        minute.base(read_to, read)
        minute.over = minute.over or over
        self._told += len(minute.told) - told
        if minute.sum != shown:
            self._show(name, minute)
        self._forget()

    def unsettled(self) -> list[str]:
        """Minutes to read again: what was told was not read yet, or others may be told more."""
        return [name for name, each in self._minutes.items() if each.told or not each.over]

    def items(self) -> Iterator[tuple[str, Minute]]:
        yield from list(self._minutes.items())

    def told(self) -> Mapping[str, Any]:
        """All minutes, the oldest first."""
        return {
            name: {"orders": tally.orders, "revenue": tally.revenue}
            for name, tally in sorted((name, each.sum) for name, each in self._minutes.items())
        }

    def _minute(self, name: str) -> Minute | None:
        if name not in self._minutes:
            if len(self._minutes) >= MINUTES and name < min(self._minutes):
                return None
            self._minutes[name] = Minute()
            shown = sorted(self._minutes)[-SHOWN:]
            if self._shown_from not in shown:
                self._feed.drop("minute", self._shown_from)
            self._shown_from = shown[0]
        return self._minutes[name]

    def _forget(self) -> None:
        while len(self._minutes) > MINUTES or (self._told > TOLD and len(self._minutes) > 1):
            self._told -= len(self._minutes.pop(min(self._minutes)).told)

    def _show(self, name: str, minute: Minute) -> None:
        if name < self._shown_from:
            return
        told = {"name": name, "orders": minute.sum.orders, "revenue": minute.sum.revenue}
        self._feed.put("minute", name, told)
