"""The time of day. Whoever needs it is handed a clock, so that a test can turn it.

Only what is compared with the `due_at` of a timer asks Postgres, whose clock all have in common.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def this_host() -> datetime:
    """The time as this machine has it, in UTC."""
    return datetime.now(UTC)
