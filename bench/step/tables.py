"""A recording as tables: all of it as CSV, and what a person reads as Markdown."""

import csv
import io
from collections.abc import Sequence

from bench.step.samples import COLUMNS, Sample

ROWS = 24


def as_csv(samples: Sequence[Sample]) -> str:
    """A row for each sample; at the end one column for each kind of pod."""
    kinds = sorted({kind for sample in samples for kind in sample.by_kind})
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*COLUMNS, *(f"pods {kind}" for kind in kinds)])
    for sample in samples:
        told = [_cell(getattr(sample, name)) for name in COLUMNS]
        rows.writerow([*told, *(sample.by_kind.get(kind, 0) for kind in kinds)])
    return text.getvalue()


def as_markdown(samples: Sequence[Sample]) -> str:
    """About two dozen of them, evenly taken, with the last."""
    step = max(1, len(samples) // ROWS)
    shown = list(samples[::step])
    if samples and shown[-1] is not samples[-1]:
        shown.append(samples[-1])
    head = f"| {' | '.join(COLUMNS.values())} |\n|{'---:|' * len(COLUMNS)}\n"
    lines = (
        f"| {' | '.join(_cell(getattr(sample, name)) for name in COLUMNS)} |\n" for sample in shown
    )
    return head + "".join(lines)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
