"""The table is whole: each figure is counted somewhere, and what is made of it is up to date."""

import ast
from pathlib import Path

import pytest

from api.metrics import Metrics
from streams import timers, wishes
from telemetry import write
from telemetry.metric import Kind, Metric
from telemetry.registry import Figures
from telemetry.rows import BOARDS
from telemetry.table import BY_NAME, TABLE

ROOT = Path(__file__).parents[3]
OURS = [metric for metric in TABLE if not metric.given]
each_of_ours = pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)


def words(*rooms: str) -> set[str]:
    """Every text that stands in the code of these rooms."""
    return {
        node.value
        for room in rooms
        for page in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(page.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_each_name_is_there_once():
    assert len(BY_NAME) == len(TABLE)


@each_of_ours
def test_names_say_what_they_are(metric: Metric):
    assert metric.name.startswith("quire_")
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(metric.buckets)
    assert "process" not in metric.labels, "that is the label by which Prometheus tells processes"


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_each_is_explained_and_drawn(metric: Metric):
    assert metric.meaning.endswith(".")
    assert metric.panels
    for panel in metric.panels:
        assert panel.board in BOARDS
        assert any(series in panel.query for series in (metric.name, *metric.series))


@pytest.mark.parametrize(
    ("name", "most"),
    [("quire_timers_due", timers.AT_ONCE), ("quire_wishes_waiting", wishes.AT_ONCE)],
)
def test_what_is_counted_to_a_limit_says_so(name: str, most: int):
    assert f"{most:,} at most" in BY_NAME[name].meaning


def test_what_every_door_tells_is_told_by_all_of_them():
    page = Metrics().text().decode()
    for metric in OURS:
        if f"# HELP {metric.name} " in page:
            assert metric.tellers == "api, intake, wall", metric.name


def test_each_is_counted_somewhere():
    assert {metric.name for metric in OURS} <= words("api", "streams")


def test_a_page_has_what_the_table_says():
    figures = Figures()
    for metric in OURS:
        made = getattr(figures, metric.kind)(metric.name)
        if metric.labels:
            made.labels(*metric.labels)
    text = figures.text().decode()
    for metric in TABLE:
        for series in metric.series:
            assert f"\n{series}" in text, series


def test_what_is_made_of_it_is_up_to_date():
    for path, text in write.files().items():
        assert path.read_text() == text, f"{path.name}: run `make monitoring`"
