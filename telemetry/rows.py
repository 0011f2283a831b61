"""How the rows of the table are written down."""

from functools import partial

from telemetry.metric import Kind, Metric, Panel

BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

SHOP, AGENTS, LOG, PROCESSES = "shop", "agents", "log", "processes"
BOARDS = {
    SHOP: "Quire: the shop",
    AGENTS: "Quire: agents",
    LOG: "Quire: the log and its readers",
    PROCESSES: "Quire: processes",
}


def _figure(
    kind: Kind,
    name: str,
    unit: str,
    labels: tuple[str, ...],
    meaning: str,
    tellers: str,
    *panels: Panel,
    alerts: tuple[str, ...] = (),
) -> Metric:
    return Metric(name, kind, unit, labels, meaning, tellers, panels, alerts)


counter = partial(_figure, Kind.COUNTER)
gauge = partial(_figure, Kind.GAUGE)


def seconds(
    name: str,
    labels: tuple[str, ...],
    meaning: str,
    tellers: str,
    buckets: tuple[float, ...],
    *panels: Panel,
    alerts: tuple[str, ...] = (),
) -> Metric:
    kind = Kind.HISTOGRAM
    return Metric(name, kind, "seconds", labels, meaning, tellers, panels, alerts, buckets)


def given(
    name: str,
    kind: Kind,
    unit: str,
    meaning: str,
    *panels: Panel,
    alerts: tuple[str, ...] = (),
) -> Metric:
    return Metric(name, kind, unit, (), meaning, "all", panels, alerts, given=True)


def per_second(name: str, *labels: str) -> str:
    return f"sum{_by(labels)}(rate({name}[$__rate_interval]))"


def one_in_a_hundred(name: str, *labels: str) -> str:
    inner = f"sum by (le, {', '.join(labels)})" if labels else "sum by (le)"
    return f"histogram_quantile(0.99, {inner} (rate({name}_bucket[$__rate_interval])))"


def highest(name: str, *labels: str) -> str:
    return f"max{_by(labels)}({name})"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
