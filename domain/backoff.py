"""When to ask somebody outside again, and when to give up."""

from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

MOST_TRIES = 1_000  # beyond it no pause grows, and no power of the factor overflows


class Backoff(Struct, frozen=True):
    """The first pause, and how it grows: times `factor` with each try, up to `longest`.

    `jitter` is the share by which a pause is shorter or longer, so that not all who wait come back
    at once. It is drawn from the key of what is asked, which holds the command's id: the same
    each time that it is computed.
    """

    first: timedelta = timedelta(seconds=2)
    factor: float = 2
    longest: timedelta = timedelta(minutes=15)
    jitter: float = 0.2
    give_up_after: timedelta = timedelta(hours=24)

    def pause(self, key: str, tries: int) -> timedelta:
        """How long to wait after try number `tries`, from 1."""
        share = sha256(f"{key}#{tries}".encode()).digest()[0] / 255
        spread = 1 - self.jitter + 2 * self.jitter * share
        return self._grown(tries) * spread

    def next_try(self, key: str, tries: int, now: datetime, first_at: datetime) -> datetime | None:
        """None when it is too late to try again."""
        at = now + self.pause(key, tries)
        return at if at <= first_at + self.give_up_after else None

    def _grown(self, tries: int) -> timedelta:
        seconds, longest = self.first.total_seconds(), self.longest.total_seconds()
        for _ in range(min(tries - 1, MOST_TRIES)):
            seconds *= self.factor
            if seconds >= longest or self.factor == 1:
                break
        return timedelta(seconds=min(seconds, longest))


PAYMENT = Backoff()
NOTIFICATION = Backoff(first=timedelta(seconds=10), longest=timedelta(hours=1))
