"""What the API counts, as Prometheus text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30)


class Metrics:
    """One registry an application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "quire_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "quire_http_request_seconds",
            "Time to the end of the answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.lag = Gauge(
            "quire_projector_lag_positions",
            "Positions of the log that the views do not show yet.",
            registry=self._registry,
        )
        self.parked = Gauge("quire_parked_messages", "Messages set aside.", registry=self._registry)
        self.clients = Gauge(
            "quire_live_clients", "Open live connections.", registry=self._registry
        )

        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def took(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the pattern, so that there are few."""
        key = (method, route, status)
        if key not in self._known:
            requests = self._requests.labels(method, route, str(status))
            self._known[key] = (requests, self._seconds.labels(route))
        counted, timed = self._known[key]
        counted.inc()
        timed.observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
