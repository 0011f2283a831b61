"""What the wall's inlets read out of an event."""

from typing import Any

from api.intake.reading import Received
from api.problems import Problem
from api.wall.board import Worth


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
        return Worth(int(total["amount_minor"]), str(total["currency"]))
    except (LookupError, TypeError, ValueError) as wrong:
        raise Problem(422, "data_not_valid", f"no order that was placed: {wrong!r}") from wrong


def threshold_of(event: Received) -> dict[str, Any]:
    """The data of a threshold that was passed; raises a Problem."""
    data: Any = event.data
    try:
        told = {
            "minute": str(data["minute"]),
            "measure": str(data["measure"]),
            "threshold": int(data["threshold"]),
            "currency": str(data.get("currency", "")),
        }
    except (LookupError, TypeError, ValueError, AttributeError) as wrong:
        raise Problem(422, "data_not_valid", f"no threshold that was passed: {wrong!r}") from wrong
    return told
