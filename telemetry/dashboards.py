"""The dashboards, as Grafana's JSON: a panel for each title of the table, two in a row."""

import json
from collections.abc import Iterator
from typing import Any

from telemetry.metric import Kind, Metric, Panel
from telemetry.rows import BOARDS
from telemetry.table import TABLE

SCHEMA = 39
WIDTH, HEIGHT = 12, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}

Json = dict[str, Any]


def dashboards() -> dict[str, str]:
    """The text of each, by the name of its file."""
    return {
        f"quire-{board}.json": json.dumps(_dashboard(board), indent=2, ensure_ascii=False) + "\n"
        for board in BOARDS
    }


def _dashboard(board: str) -> Json:
    others = [_link(other) for other in BOARDS if other != board]
    return {
        "uid": f"quire-{board}",
        "title": BOARDS[board],
        "description": "Made of telemetry/table.py by `make monitoring`; changes here are lost.",
        "tags": ["quire"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "links": others,
        "templating": {"list": [_source()]},
        "panels": list(_panels(board)),
    }


def _source() -> Json:
    return {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _link(board: str) -> Json:
    return {
        "title": BOARDS[board],
        "type": "link",
        "url": f"/d/quire-{board}",
        "keepTime": True,
        "asDropdown": False,
        "icon": "dashboard",
        "includeVars": False,
        "tags": [],
        "targetBlank": False,
        "tooltip": "",
    }


def _panels(board: str) -> Iterator[Json]:
    titles: dict[str, list[tuple[Metric, Panel]]] = {}
    for metric in TABLE:
        for panel in metric.panels:
            if panel.board == board:
                titles.setdefault(panel.title, []).append((metric, panel))
    for number, (title, drawn) in enumerate(titles.items()):
        yield _panel(number, title, drawn)


def _panel(number: int, title: str, drawn: list[tuple[Metric, Panel]]) -> Json:
    row, column = divmod(number, 24 // WIDTH)
    whole = all(metric.kind is Kind.GAUGE and panel.unit == "short" for metric, panel in drawn)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "description": " ".join(dict.fromkeys(metric.meaning for metric, _ in drawn)),
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {
                "unit": drawn[0][1].unit,
                "min": 0,
                **({"decimals": 0} if whole else {}),
                "color": {"mode": "palette-classic"},
                "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": panel.query,
                "legendFormat": panel.legend or "__auto",
                "range": True,
            }
            for index, (_, panel) in enumerate(drawn)
        ],
    }
