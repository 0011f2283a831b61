"""What the owner of some partitions remembers, so that it need not fold each time."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from store.log import Recorded

NO_TIMERS: frozenset[str] = frozenset()


class Held(Struct, frozen=True):
    """A stream's state, with the version and the hash that the next fact follows.

    `armed` names its timers, None where they are not known: only who saw the stream begin knows.
    """

    state: Any
    version: int
    head: bytes
    armed: frozenset[str] | None = None


class Memory:
    """The states of the streams touched last; the oldest are forgotten first."""

    def __init__(self, initial: Any, evolve: Callable[[Any, Any], Any], capacity: int) -> None:
        self.initial = initial
        self._evolve = evolve
        self._capacity = capacity
        self._held: dict[str, Held] = {}

    def missing(self, streams: Iterable[str]) -> list[str]:
        """Those of `streams` that have to be read."""
        return [stream for stream in dict.fromkeys(streams) if stream not in self._held]

    def learn(self, stream: str, facts: Iterable[Recorded]) -> None:
        """Folds a stream that was read; one without facts is remembered as new."""
        held = Held(self.initial, 0, b"", NO_TIMERS)
        for fact in facts:
            held = Held(self._evolve(held.state, fact.event), fact.version, fact.hash)
        self.keep(stream, held)

    def get(self, stream: str) -> Held:
        return self._held[stream]

    def state(self, stream: str) -> Any:
        """The state of a stream, the initial one where nothing is remembered."""
        held = self._held.get(stream)
        return self.initial if held is None else held.state

    def keep(self, stream: str, held: Held) -> None:
        self._held.pop(stream, None)
        self._held[stream] = held

    def trim(self) -> None:
        """Forgets the oldest beyond the capacity; between batches only."""
        for stream in list(self._held)[: max(0, len(self._held) - self._capacity)]:
            del self._held[stream]

    def clear(self) -> None:
        self._held.clear()
