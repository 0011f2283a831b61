"""The tables of docs/metrics.md; what stands around them is written by hand."""

from telemetry.metric import Metric
from telemetry.table import TABLE

BEGIN, END = "<!-- made by `make monitoring` -->\n", "<!-- to here -->\n"


def table(page: str) -> str:
    """The page with its table as it is now; ValueError when it has no place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("no place for the table")
    head = (
        "| metric | type, unit | labels | meaning | told by | drawn in | alerts |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return before + begin + head + "".join(map(_row, TABLE)) + end + after


def _row(metric: Metric) -> str:
    drawn = "<br>".join(f"{panel.board}: {panel.title}" for panel in metric.panels)
    cells = (
        f"`{metric.name}`",
        f"{metric.kind}, {metric.unit}",
        ", ".join(metric.labels),
        metric.meaning,
        metric.tellers,
        drawn,
        ", ".join(f"`{name}`" for name in metric.alerts),
    )
    return f"| {' | '.join(cells)} |\n"
