"""Thresholds: what is asked for in a setting, and the event that says that one was passed.

The event follows from minute, measure and amount alone, so it comes out the same to the last byte
whoever finds it, however often: a receiver knows a repeat by its id.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from bus.event import Event
from domain.ids import derive
from store.views.minutes import Tally

TYPE = "quire.window.threshold_passed.v1"
SOURCE = "quire/window"
ORDERS = "orders"
REVENUE = "revenue"

_ONE = re.compile(r"(orders|revenue\.([A-Z]{3}))=([1-9][0-9]{0,14})")


class Threshold(NamedTuple):
    """`measure` is `orders`, or `revenue` of a `currency` in minor units."""

    measure: str
    currency: str
    amount: int

    def reached(self, tally: Tally) -> bool:
        found = tally.orders if self.measure == ORDERS else tally.revenue.get(self.currency, 0)
        return found >= self.amount


def parsed(text: str) -> tuple[Threshold, ...]:
    """Of `orders=100 revenue.EUR=500000`; raises ValueError."""
    found: list[Threshold] = []
    for word in text.split():
        match = _ONE.fullmatch(word)
        if match is None:
            raise ValueError("a threshold is orders=NUMBER or revenue.CURRENCY=MINOR_UNITS")
        currency = match[2] or ""
        found.append(Threshold(REVENUE if currency else ORDERS, currency, int(match[3])))
    return tuple(dict.fromkeys(found))


def reached(thresholds: Iterable[Threshold], tally: Tally) -> list[Threshold]:
    """Those that a minute has passed."""
    return [each for each in thresholds if each.reached(tally)]


def event_of(minute: str, threshold: Threshold) -> Event:
    """What is posted; its time is the begin of the minute."""
    begin = datetime.fromisoformat(minute)
    milliseconds = round(begin.timestamp() * 1000)
    what = "|".join(("window", minute, *map(str, threshold)))
    attributes = {
        "specversion": "1.0",
        "id": str(derive(milliseconds, what)),
        "source": SOURCE,
        "type": TYPE,
        "subject": minute,
        "time": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "partitionkey": minute,
    }
    data = {"minute": minute, "measure": threshold.measure, "threshold": threshold.amount}
    if threshold.currency:
        data["currency"] = threshold.currency
    return Event(attributes, "application/json", msgspec.json.encode(data))
