"""Stops asking who does not answer: after some failures in a row only one try every few seconds."""

from collections.abc import Callable
from time import monotonic


class Circuit:
    """Closed as long as it works; open after `limit` failures in a row, with one try a `pause`."""

    def __init__(
        self, *, limit: int = 3, pause: float = 5.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._limit = limit
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    def allows(self) -> bool:
        """Whether to ask now; who is told so while it is open is the only one for a pause."""
        if self._failures < self._limit:
            return True
        now = self._clock()
        if now < self._next_try:
            return False
        self._next_try = now + self._pause
        return True

    def worked(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        self._next_try = self._clock() + self._pause
