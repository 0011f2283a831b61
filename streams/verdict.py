"""What is known before a message is decided, and what it wants written then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from msgspec import Struct

from store.commit import NewOutcome, NewTimer
from store.log import NewEvent
from store.parked import NewParked

TimerKey = tuple[str, str]


@dataclass
class Known:
    """What was read before deciding."""

    settled: Iterable[UUID]
    armed: Mapping[UUID, TimerKey]
    parked_keys: set[str]
    last_relayed: dict[int, UUID]


class Verdict(Struct):
    """What one message wants written."""

    events: list[NewEvent] = []
    outcome: NewOutcome | None = None
    parked: NewParked | None = None
    timers: dict[TimerKey, NewTimer | None] = {}
