"""What the wall's inlets read out of an event."""

import re
from datetime import datetime
from typing import Any

from api.intake.reading import Received
from api.problems import Problem
from api.wall.board import Worth
from api.wall.thresholds import ORDERS
from store.views.minutes import name_of


def position_of(event: Received) -> int:
    """Its place in the log; raises a Problem."""
    position = event.extensions.get("position", "")
    if not (position.isascii() and position.isdigit() and len(position) < 19):
        raise Problem(422, "position_missing", "a fact says its position in the log")
    return int(position)


def total_of(placed: Any) -> Worth:
    """What an order comes to; raises a Problem."""
    try:
        total: Any = placed["total"]
        return Worth(int(total["amount_minor"]), _currency(total["currency"]))
    except (LookupError, TypeError, ValueError) as wrong:
        raise Problem(422, "data_not_valid", f"no order that was placed: {wrong!r}") from wrong


def threshold_of(event: Received) -> dict[str, Any]:
    """The data of a threshold that was passed; raises a Problem."""
    data: Any = event.data
    try:
        told = {
            "minute": name_of(datetime.fromisoformat(data["minute"])),
            "measure": str(data["measure"]),
            "threshold": int(data["threshold"]),
            "currency": "" if data["measure"] == ORDERS else _currency(data["currency"]),
        }
    except (LookupError, TypeError, ValueError, AttributeError) as wrong:
        raise Problem(422, "data_not_valid", f"no threshold that was passed: {wrong!r}") from wrong
    return told


def _currency(code: Any) -> str:
    """A page that is told of another one can draw nothing any more, and no reload mends it."""
    if not re.fullmatch("[A-Z]{3}", str(code)):
        raise ValueError(f"{code!r} is no currency")
    return str(code)
