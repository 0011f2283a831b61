"""A row of the table of figures, and how it is drawn."""

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What Prometheus calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Panel(Struct, frozen=True):
    """A line, or one for each value of the labels in `legend`, in a panel of a dashboard.

    Rows that name the same board and title share the panel; `unit` is Grafana's.
    """

    board: str
    title: str
    query: str
    legend: str = ""
    unit: str = "short"


class Metric(Struct, frozen=True):
    """A figure, by the name that a query uses. `tellers` says which processes tell it.

    One that is `given` comes with the client's library, about the process itself.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    meaning: str
    tellers: str
    panels: tuple[Panel, ...]
    alerts: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    given: bool = False

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a page has for it."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{end}" for end in ("bucket", "count", "sum"))
        return (self.name,)
