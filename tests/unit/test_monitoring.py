"""The rules of deploy/monitoring speak of what we count, and of routes that we serve."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from telemetry.table import TABLE

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
TESTS = MONITORING / "tests" / "alerts.yml"
NAMES = re.compile(r"\b(?:quire|process|kube)_\w+|\bup\b")
LABELS = re.compile(r'(\w+)\{((?:[^}"]|"[^"]*")*)\}')
MATCH = re.compile(r'(\w+)(?:=~|!=|!~|=)"([^"]*)"')
BY = re.compile(r"\bby \(([^)]*)\)")
OF_TARGETS = {"job", "process"}
"""The labels that the configuration of Prometheus gives to whatever it asks."""

KNOWN = {series: {*metric.labels, "le"} for metric in TABLE for series in metric.series} | {
    "up": set[str](),
    # Not ours, so not in the table: kube-state-metrics tells it, of Jobs, which tell nothing.
    "kube_job_failed": {"namespace", "job_name", "condition"},
}

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return group["rules"]


def names(expression: str) -> set[str]:
    """The series that a query is about; words within quotes and braces are not."""
    return set(NAMES.findall(re.sub(r"\{[^}]*\}|\bby \([^)]*\)", "", expression)))


def queries() -> dict[str, str]:
    """Each query of an alert and of a dashboard."""
    found = {f"{panel.board}: {panel.title}": panel.query for m in TABLE for panel in m.panels}
    return found | {rule["alert"]: rule["expr"] for rule in rules()}


def test_each_query_speaks_of_something_that_we_count():
    for name, query in queries().items():
        assert names(query), name
        assert names(query) <= KNOWN.keys(), name


def test_each_label_is_one_of_its_metric():
    for name, query in queries().items():
        for metric, told in re.findall(LABELS, query):
            labels = {label for label, _ in MATCH.findall(told)}
            assert labels <= KNOWN[metric] | OF_TARGETS, name
        for told in BY.findall(query):
            labels = set(told.split(", "))
            known = {label for series in names(query) for label in KNOWN[series]}
            assert labels <= known | OF_TARGETS, name


def test_the_table_names_the_alerts_of_each_metric():
    for metric in TABLE:
        speaking = {rule["alert"] for rule in rules() if names(rule["expr"]) & {*metric.series}}
        assert set(metric.alerts) == speaking, metric.name


def test_each_route_is_there(tmp_path: Path):
    paths: set[str] = set(create_app(settings(tmp_path)).openapi()["paths"])
    seen = 0
    for rule in rules():
        for label, pattern in MATCH.findall(rule["expr"]):
            # It has no alternatives within parentheses.
            for one in pattern.split("|") if label == "route" else ():
                told = re.escape(one).replace(r"\.\*", ".*")
                assert any(re.fullmatch(told, name) for name in paths), (rule, one)
                seen += 1
    assert seen


def test_each_process_of_a_rule_is_asked():
    told = [pair for rule in rules() for pair in MATCH.findall(rule["expr"])]
    named = {name for label, value in told if label == "process" for name in value.split("|")}
    assert named <= {name for name, _ in targets()} | {"orders-api"}  # as the cluster calls it
    assert len(named) == 12
    assert {value for label, value in told if label == "job"} == {"quire"}


def test_each_rule_says_what_to_do():
    for rule in rules():
        assert rule["for"], rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_the_cluster_has_the_same_rules():
    cluster = yaml.safe_load(
        (ROOT / "deploy" / "components" / "monitoring" / "rules.yaml").read_text()
    )
    [group] = cluster["spec"]["groups"]
    assert group["rules"] == rules()


def targets() -> list[tuple[str, int]]:
    """Each service of compose that Prometheus asks, with the port."""
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    [job] = config["scrape_configs"]
    assert job["job_name"] == "quire"
    return [(name, told["port"]) for told in job["dns_sd_configs"] for name in told["names"]]


def test_prometheus_asks_each_process_where_it_tells():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    asked = dict(targets())
    running = {
        name: service
        for name, service in services.items()
        if service.get("command", [""])[0] == "run" and name != "provider"
    }
    assert asked.keys() == running.keys()
    for name, port in asked.items():
        published = running[name].get("ports", [])
        if published:
            assert published[0].endswith(f":{port}")
        else:
            assert running[name]["environment"]["QUIRE_METRICS_PORT"] == port


def test_the_dashboards_are_all_handed_out():
    made = {f"dashboards/{page.name}" for page in (MONITORING / "dashboards").iterdir()}
    told = yaml.safe_load((MONITORING / "kustomization.yaml").read_text())
    [config] = told["configMapGenerator"]
    assert set(config["files"]) == made


def test_each_alert_is_tested_to_be_heard_and_not_to_be():
    heard, silent = set[str](), set[str]()
    for each in yaml.safe_load(TESTS.read_text())["tests"]:
        for asked in each["alert_rule_test"]:
            (heard if asked["exp_alerts"] else silent).add(asked["alertname"])
    assert heard == silent == {rule["alert"] for rule in rules()}


@promtool
def test_promtool_finds_nothing():
    asked("check", "config", str(MONITORING / "prometheus.yml"))
    asked("test", "rules", str(TESTS))


@promtool
def test_each_query_can_be_read(tmp_path: Path):
    """As a rule that records it, since promtool reads those."""
    records = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(queries().values())
    ]
    page = tmp_path / "queries.yml"
    page.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    asked("check", "rules", str(page))


def asked(*words: str) -> None:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def settings(state: Path) -> Settings:
    return Settings(postgres_dsn=SecretStr("postgresql://"), kafka="kafka:9092", state_dir=state)
