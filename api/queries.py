"""What stands in the query of a request: limits, positions, times, days."""

from datetime import UTC, date, datetime

from api.problems import Problem

LARGEST_PAGE = 100
PAGE = 20


def limit(text: str | None, *, largest: int = LARGEST_PAGE, usual: int = PAGE) -> int:
    """How many are wanted."""
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= largest:
        raise Problem(422, "limit_not_valid", f"limit has to be 1 to {largest}")
    return int(text)


def position(text: str | None) -> int:
    """A position given by a client; 0 when there is none."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(422, "position_not_valid", "a position is a whole number from 0 on")
    return int(text)


def time(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise Problem(
            422,
            "time_not_valid",
            f"{name} is not a time",
            hint="Write 2026-03-01 or 2026-03-01T09:30:00Z.",
        ) from wrong


def day(name: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise Problem(
            422, "day_not_valid", f"{name} is not a day", hint="Write 2026-03-01."
        ) from wrong
