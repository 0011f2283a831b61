"""What the API counts, as Prometheus text."""

from prometheus_client import Counter, Histogram

from telemetry.registry import Figures


class Metrics:
    """One registry an application."""

    def __init__(self) -> None:
        self._figures = Figures()
        self._requests = self._figures.counter("quire_http_requests_total")
        self._seconds = self._figures.histogram("quire_http_request_seconds")
        self.lag = self._figures.gauge("quire_projector_lag_positions")
        self.parked = self._figures.gauge("quire_parked_messages")
        self.clients = self._figures.gauge("quire_live_clients")

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
        return self._figures.text()
