"""Grafana's JSON: each panel in its own place, each query of the table in one of them."""

import json
from typing import Any

import pytest

from telemetry.dashboards import dashboards
from telemetry.table import TABLE

PAGES = {name: json.loads(text) for name, text in dashboards().items()}
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


@each_page
def test_panels_lie_side_by_side(page: dict[str, Any]):
    taken = set[tuple[int, int]]()
    for panel in page["panels"]:
        at = panel["gridPos"]
        squares = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not squares & taken
        assert max(x for x, _ in squares) < 24
        taken |= squares
    ids = [panel["id"] for panel in page["panels"]]
    assert len(set(ids)) == len(ids)


@each_page
def test_each_query_goes_to_the_source_that_is_chosen(page: dict[str, Any]):
    [source] = page["templating"]["list"]
    for panel in page["panels"]:
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"]["uid"] == f"${{{source['name']}}}"
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)


@each_page
def test_links_lead_to_the_others(page: dict[str, Any]):
    others = {f"/d/{other['uid']}" for other in PAGES.values()} - {f"/d/{page['uid']}"}
    assert {link["url"] for link in page["links"]} == others


def test_every_query_of_the_table_is_drawn_once():
    drawn = [
        target["expr"]
        for page in PAGES.values()
        for panel in page["panels"]
        for target in panel["targets"]
    ]
    assert sorted(drawn) == sorted(panel.query for metric in TABLE for panel in metric.panels)


def test_rows_of_one_panel_share_their_unit():
    units: dict[tuple[str, str], str] = {}
    for metric in TABLE:
        for panel in metric.panels:
            assert units.setdefault((panel.board, panel.title), panel.unit) == panel.unit
