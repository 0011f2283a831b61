"""When the orders of a load come: open-loop, whether or not the ones before are done."""

from collections.abc import Iterator
from random import Random

BURST_FACTOR = 3
MINUTE = 60.0
BURST_SHARE = 1 / 6  # ten seconds of a minute; of a shorter run the same share


def in_burst(at: float, seconds: float) -> bool:
    """Whether a moment lies in a burst: they begin in the middle of each minute."""
    minute = min(MINUTE, seconds)
    return 0 <= at % minute - minute / 2 < minute * BURST_SHARE


def poisson(rate: float, seconds: float, run: str, *, bursts: bool) -> list[float]:
    """The moments of a Poisson process, in seconds from its start; the same for the same run."""
    return list(_moments(rate, seconds, Random(f"{run}/arrivals"), bursts=bursts))


def _moments(rate: float, seconds: float, random: Random, *, bursts: bool) -> Iterator[float]:
    # Drawn at the highest rate and thinned where the rate is lower.
    highest = rate * BURST_FACTOR if bursts else rate
    at = random.expovariate(highest)
    while at < seconds:
        if not bursts or in_burst(at, seconds) or random.random() * BURST_FACTOR < 1:
            yield at
        at += random.expovariate(highest)
