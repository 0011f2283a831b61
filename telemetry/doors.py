"""Figures of what answers requests."""

from telemetry.metric import Metric, Panel
from telemetry.rows import SHOP, counter, gauge, highest, one_in_a_hundred, per_second, seconds

REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30)
_DOORS = "api, intake, wall"

ROWS: tuple[Metric, ...] = (
    counter(
        "quire_http_requests_total", "requests", ("method", "route", "status"),
        "Requests answered, by the pattern of their route.", _DOORS,
        Panel(
            SHOP, "Requests a second", per_second("quire_http_requests_total", "route"),
            "{{route}}", "reqps",
        ),
        Panel(
            SHOP, "Requests that failed, a second",
            'sum by (status) (rate(quire_http_requests_total{status=~"5.."}[$__rate_interval]))',
            "{{status}}", "reqps",
        ),
        alerts=("QuireRefusesWishes", "QuireErrors"),
    ),
    seconds(
        "quire_http_request_seconds", ("route",),
        "Time to the end of the answer.", _DOORS, REQUEST_SECONDS,
        Panel(
            SHOP, "Slowest answer in a hundred",
            one_in_a_hundred("quire_http_request_seconds", "route"), "{{route}}", "s",
        ),
        alerts=("QuireSlow",),
    ),
    gauge(
        "quire_live_clients", "connections", (),
        "Open live connections of the API; intake and wall, which have none, tell 0.", _DOORS,
        Panel(SHOP, "Live connections", "sum(quire_live_clients)", "open"),
    ),
    gauge(
        "quire_projector_lag_positions", "positions", (),
        "Positions of the log that the views do not show yet, as the door sees it; the wall, which"
        " does not look, tells 0.", _DOORS,
        Panel(
            SHOP, "Positions not in the views", highest("quire_projector_lag_positions"), "behind"
        ),
        alerts=("QuireViewsBehind",),
    ),
    gauge(
        "quire_parked_messages", "messages", (),
        "Messages set aside, which a person has to look at; the wall, which does not look, tells"
        " 0.", _DOORS,
        Panel(SHOP, "Parked messages", highest("quire_parked_messages"), "parked"),
        alerts=("QuireParkedMessages", "QuireNoApi"),
    ),
)  # fmt: skip
