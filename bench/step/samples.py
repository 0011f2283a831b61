"""One moment of a recording, made of what the pages told then and the time before."""

from collections.abc import Iterable, Mapping

import msgspec

from bench.step.watching import Figure, Seen

REQUESTS, CPU = "quire_http_requests_total", "process_cpu_seconds_total"
LAG, UNREAD = "quire_lag_messages", "quire_reader_lag_positions"


class Sample(msgspec.Struct, frozen=True):
    """Rates are those since the sample before; what no page told is None.

    `at` is seconds from the start; `offered` and `p99_ms` (from when a request was due to its
    answer) are the load's own word, the rest is the processes'.
    """

    at: float
    pods: int
    offered: float | None
    requests: float | None
    errors: float | None
    p99_ms: float | None
    agents: float | None
    relay: float | None
    views: float | None
    processors: float | None
    by_kind: dict[str, int] = {}

    @property
    def waiting(self) -> float:
        """All that is not done yet, as far as it is told."""
        return (self.agents or 0) + (self.relay or 0) + (self.views or 0)


COLUMNS: Mapping[str, str] = {
    "at": "seconds",
    "pods": "pods",
    "offered": "offered/s",
    "requests": "requests/s",
    "errors": "errors/s",
    "p99_ms": "p99 ms",
    "agents": "messages not handled",
    "relay": "positions not relayed",
    "views": "positions not in the views",
    "processors": "processors busy",
}


class Rates:
    """Makes rates of counters; a process that began anew counts from zero."""

    def __init__(self) -> None:
        self._at = 0.0
        self._before: dict[str, dict[str, float]] = {}

    def sample(self, at: float, seen: Seen) -> Sample:
        """`at` is seconds on any clock that goes on."""
        totals = {name: _totals(page) for name, page in seen.pages.items()}
        since = at - self._at
        every = [figure for page in seen.pages.values() for figure in page]
        rates = {
            what: self._rate(what, totals, since) for what in ("requests", "errors", "processors")
        }
        self._at, self._before = at, totals
        return Sample(
            at=round(at, 1),
            pods=sum(seen.ready.values()),
            offered=None,
            p99_ms=None,
            agents=_sum(each.value for each in every if each.name == LAG),
            relay=_of_reader(every, "relay"),
            views=_of_reader(every, "projector"),
            by_kind=dict(sorted(seen.ready.items())),
            **rates,
        )

    def _rate(
        self, what: str, totals: Mapping[str, Mapping[str, float]], since: float
    ) -> float | None:
        """None where nothing can be compared yet."""
        known = [name for name in totals if name in self._before]
        if not known or since <= 0:
            return None
        moved = (totals[name][what] - self._before[name][what] for name in known)
        return round(sum(max(0.0, more) for more in moved) / since, 2)


def _totals(page: Iterable[Figure]) -> dict[str, float]:
    found = {"requests": 0.0, "errors": 0.0, "processors": 0.0}
    for name, labels, value in page:
        if name == REQUESTS and labels.get("route") != "/metrics":
            found["requests"] += value
            found["errors"] += value if labels.get("status", "").startswith("5") else 0
        elif name == CPU:
            found["processors"] += value
    return found


def _of_reader(figures: Iterable[Figure], reader: str) -> float | None:
    """Several timers processes tell the same, a moment apart."""
    told = [each.value for each in figures if each.name == UNREAD]
    mine = [
        each.value
        for each in figures
        if each.name == UNREAD and each.labels.get("reader") == reader
    ]
    return max(mine) if told and mine else None


def _sum(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) if found else None
