"""A circuit breaker: after failures in a row it says no by itself, and tries one now and then."""

from collections.abc import Callable


class Breaker:
    """`clock` counts seconds. Ask `admits` before a call, and tell how the call went."""

    def __init__(
        self, clock: Callable[[], float], *, failures: int = 3, open_seconds: float = 5
    ) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = open_seconds
        self._failed = 0
        self._again_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failed >= self._limit

    def admits(self) -> bool:
        """Whether to call; while it is open, one call each time the pause has passed."""
        if not self.is_open:
            return True
        now = self._clock()
        if now < self._again_at:
            return False
        self._again_at = now + self._pause  # a try that never reports back delays the next, no more
        return True

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        if self.is_open:
            self._again_at = self._clock() + self._pause
