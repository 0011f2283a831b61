"""The one shape of every decider: wish + state -> facts, state + fact -> state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")


@dataclass(frozen=True)
class Decider(Generic[C, E, S]):
    """Three pure functions; `decide` raises `Refused` and otherwise returns the new facts."""

    initial: S
    decide: Callable[[C, S], list[E]]
    evolve: Callable[[S, E], S]

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        """The state after `events`."""
        current = self.initial if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
