"""Gives out what is due, by the clock and not by how fast it is taken."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from time import monotonic

TICK_SECONDS = 0.004


class Pace:
    """The moments of a load, counted from `begin` on the monotonic clock."""

    def __init__(self, moments: Sequence[float], begin: float) -> None:
        self._moments = moments
        self._begin = begin
        self._next = 0
        self.late: list[float] = []

    async def due(self) -> tuple[int, int] | None:
        """Wait for the next that are due: the first and the one after the last; None at the end."""
        if self._next == len(self._moments):
            return None
        wait = self._begin + self._moments[self._next] - monotonic()
        await asyncio.sleep(max(wait, TICK_SECONDS))
        first = self._next
        self._next = bisect_right(self._moments, monotonic() - self._begin, lo=first)
        return first, self._next

    def took(self, first: int, end: int, at: float) -> None:
        """Remember how late the loader was with these, its own acknowledgement included."""
        self.late.extend(at - self._begin - moment for moment in self._moments[first:end])
