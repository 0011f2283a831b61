"""Breadth-first search of every state a model can reach; a fault comes with a shortest trace."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Model(Protocol[S]):
    """Where a world begins, what may happen next, and what must never be seen."""

    def start(self) -> S: ...

    def steps(self, state: S) -> Iterable[tuple[str, S]]: ...

    def broken(self, state: S) -> str | None:
        """Name what is wrong in this state, whatever comes after it."""
        ...

    def unfinished(self, state: S) -> str | None:
        """Name what is wrong if this state, from which no step leads on, is the end."""
        ...


class TooManyStates(Exception):
    """The scenario is larger than it was meant to be; a search cut short proves nothing."""


@dataclass(frozen=True)
class Report:
    states: int
    ends: int
    violation: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.violation is None:
            return f"{self.states} states, {self.ends} ends, nothing violated"
        steps = "\n".join(f"  {number:2} {step}" for number, step in enumerate(self.trace, 1))
        return f"{self.violation} ({self.states} states searched)\n{steps}"


def search(model: Model[S], limit: int = 300_000) -> Report:
    """Visit every reachable state; stop at the first that is broken, or final and unfinished."""
    start = model.start()
    states = [start]
    found = {start: 0}
    came: list[tuple[int, str]] = [(0, "")]
    before: list[list[int]] = [[]]
    ends: list[int] = []

    def report(here: int, violation: str) -> Report:
        return Report(len(states), len(ends), violation, _trace(came, here))

    here = 0
    while here < len(states):
        state = states[here]
        if violation := model.broken(state):
            return report(here, violation)
        final = True
        for name, following in model.steps(state):
            final = False
            there = found.setdefault(following, len(states))
            if there == len(states):
                states.append(following)
                came.append((here, name))
                before.append([])
            before[there].append(here)
        if final:
            ends.append(here)
            if violation := model.unfinished(state):
                return report(here, violation)
        if len(states) > limit:
            raise TooManyStates(f"more than {limit} states")
        here += 1
    if (lost := _cannot_end(before, ends)) is not None:
        return report(lost, "goes round for ever")
    return Report(len(states), len(ends))


def _trace(came: list[tuple[int, str]], here: int) -> tuple[str, ...]:
    names: list[str] = []
    while here:
        here, name = came[here]
        names.append(name)
    return tuple(reversed(names))


def _cannot_end(before: list[list[int]], ends: list[int]) -> int | None:
    """The first state from which no end can be reached: the final checks say nothing of it."""
    open_ends = list(ends)
    reached = bytearray(len(before))
    while open_ends:
        state = open_ends.pop()
        if not reached[state]:
            reached[state] = 1
            open_ends.extend(before[state])
    return next((state for state, seen in enumerate(reached) if not seen), None)
