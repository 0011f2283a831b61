"""The figures of a load. The names of the fields are what scripts read."""

from collections.abc import Sequence

import msgspec


class Bursts(msgspec.Struct, frozen=True):
    """The orders that came in bursts; the figures beside them are of the others."""

    orders: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Report(msgspec.Struct, frozen=True):
    """CPU is user + system time of the whole stack, the loader and the observer aside."""

    profile: str
    entry: str
    until: str
    rate: float
    seconds: float
    orders_per_s: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    cpu_ms_per_order: float | None
    cpu_ms: dict[str, float]
    lost: int
    twice: int
    oversold: int
    accepted: int
    done: int
    rejected: int
    refused: dict[str, int]
    events_per_order: float
    faust_reads_per_order: float
    loader_cpu_ms_per_order: float
    loader_late_p99_ms: float
    observer_cpu_ms_per_order: float
    bursts: Bursts | None
    yardstick_ms: float = 0.0  # CPU time of a fixed piece of work meanwhile, see bench/yardstick.py

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, done twice or sold too often."""
        return not (self.lost or self.twice or self.oversold)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest rank of an ordered row; None of nothing."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


def text(report: Report) -> str:
    """The report for people."""
    load = f"profile {report.profile}, through {report.entry}, until {report.until}"
    count = f"{report.done} of {report.accepted} accepted ({report.rejected} rejected)"
    lines = [
        f"{load}: {report.rate:g} orders/s for {report.seconds:g} s",
        f"  done        {count}, {report.orders_per_s:.0f}/s",
        f"  latency     {_latency(report)}",
        f"  lost {report.lost}, twice {report.twice}, oversold {report.oversold}",
        f"  an order    {report.events_per_order:.2f} events",
        f"              {report.faust_reads_per_order:.2f} reads by agents",
    ]
    if report.bursts is not None:
        burst = report.bursts
        lines.insert(3, f"  in bursts   {_latency(burst)} of {burst.orders} orders")
    if report.cpu_ms_per_order is not None:
        each, stick = report.cpu_ms_per_order, report.yardstick_ms
        lines.append(f"  CPU         {each:.3f} ms an order (yardstick {stick:.2f} ms):")
        by_cost = sorted(report.cpu_ms.items(), key=lambda item: -item[1])
        lines += [f"    {name:<20} {used:6.3f}" for name, used in by_cost]
    lines.append(
        f"  not counted loader {report.loader_cpu_ms_per_order:.3f} ms,"
        f" observer {report.observer_cpu_ms_per_order:.3f} ms an order"
    )
    return "\n".join(lines)


def _latency(of: Report | Bursts) -> str:
    return f"p50 {_ms(of.p50_ms)}, p95 {_ms(of.p95_ms)}, p99 {_ms(of.p99_ms)}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
