"""The search itself: it finds the shortest way to a fault and does not take a loop for an end."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .search import TooManyStates, search


@dataclass(frozen=True)
class Walk:
    """From 0 by +1 and +2 up to a wall; `bad` must not be met and `goal` is where it ends."""

    wall: int
    goal: int
    bad: int = -1
    round_again: bool = False

    def start(self) -> int:
        return 0

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        if state + 2 <= self.wall:
            yield "+2", state + 2
        if state < self.wall:
            yield "+1", state + 1
        elif self.round_again:
            yield "again", state

    def broken(self, state: int) -> str | None:
        return "bad" if state == self.bad else None

    def unfinished(self, state: int) -> str | None:
        return None if state == self.goal else "short of the goal"


def test_visits_every_state_once():
    report = search(Walk(wall=5, goal=5))
    assert (report.states, report.ends, report.violation) == (6, 1, None)


def test_gives_the_shortest_trace():
    report = search(Walk(wall=5, goal=5, bad=4))
    assert (report.violation, report.trace) == ("bad", ("+2", "+2"))
    assert "1 +2" in str(report)


def test_judges_the_ends():
    assert search(Walk(wall=5, goal=6)).violation == "short of the goal"


def test_a_world_that_cannot_end_is_a_fault():
    assert search(Walk(wall=5, goal=5, round_again=True)).violation == "goes round for ever"


def test_a_search_cut_short_is_no_proof():
    with pytest.raises(TooManyStates):
        search(Walk(wall=50, goal=50), limit=20)
