"""When to ask again, and when to give up."""

from datetime import datetime, timedelta
from hashlib import sha256

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)


def pause_after(key: str, tries: int) -> timedelta:
    """Twice as long each time, a fifth more or less by the hash of the key."""
    share = sha256(f"{key}#{tries}".encode()).digest()[0] / 255
    return min(FIRST * 2 ** min(tries - 1, 20), LONGEST) * (0.8 + 0.4 * share)


def next_try(key: str, tries: int, now: datetime, first_at: datetime) -> datetime | None:
    """None when it is too late to try again."""
    at = now + pause_after(key, tries)
    return at if at <= first_at + GIVE_UP_AFTER else None
