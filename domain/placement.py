"""Where a command may stand: in the topic of its context, under its own key, with sound ids."""

from collections.abc import Iterable
from datetime import UTC, datetime

from domain.message import Command

LONGEST = 512
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # before the year 1 the log could not be read again


def misplaced(
    command: Command, context: str, key: str, time: datetime, told: Iterable[str]
) -> tuple[str, str] | None:
    """(cause, error) when a command cannot be decided where it came in, under `key` at `time`.

    `told` are the sender's own texts that the facts will carry: correlation and source.
    """
    if command.context != context:
        return ("wrong_topic", f"{command.kind} belongs to {command.context}")
    if command.key != key:
        return ("wrong_key", f"the record's key is not {command.key!r}")
    stream = command.stream
    if len(stream) > LONGEST or len(key) > LONGEST:
        return ("too_long", f"ids may have {LONGEST} characters at the most")
    if not "".join((stream, *told)).isprintable():
        return ("unprintable", "ids must not contain control characters")
    if time < EARLIEST:
        return ("bad_time", f"nothing can have happened before {EARLIEST.year}")
    return None
