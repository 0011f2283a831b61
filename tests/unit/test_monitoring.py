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
from api.metrics import Metrics
from api.settings import Settings

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
OURS = re.compile(r"\bquire_\w+")
LABELS = re.compile(r'(\w+)\{((?:[^}"]|"[^"]*")*)\}')
MATCH = re.compile(r'(\w+)(?:=~|!=|!~|=)"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return group["rules"]


def samples() -> dict[str, set[str]]:
    """What /metrics serves: each series with the names of its labels."""
    metrics = Metrics()
    metrics.took("GET", "/orders", 200, 0.1)
    found = re.findall(r"^(\w+)(?:\{(.*)\})? ", metrics.text().decode(), re.MULTILINE)
    return {name: set(re.findall(r'(\w+)="', labels)) for name, labels in found}


def test_each_rule_speaks_of_something_that_we_count():
    served = samples()
    for rule in rules():
        named = set(OURS.findall(rule["expr"]))
        assert named <= served.keys(), rule["alert"]
        assert named or rule["expr"].startswith("up{"), rule["alert"]


def test_each_label_is_one_of_its_metric():
    served = samples() | {"up": {"job"}}
    for rule in rules():
        for metric, told in re.findall(LABELS, rule["expr"]):
            assert {label for label, _ in MATCH.findall(told)} <= served[metric], rule["alert"]


def test_each_route_and_job_is_there(tmp_path: Path):
    paths = set(create_app(settings(tmp_path)).openapi()["paths"])
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    jobs: set[str] = {each["job_name"] for each in config["scrape_configs"]}
    there = {"route": paths, "job": jobs}
    seen = 0
    for rule in rules():
        for label, pattern in MATCH.findall(rule["expr"]):
            # Both have no alternatives within parentheses.
            for one in pattern.split("|") if label in there else ():
                told = re.escape(one).replace(r"\.\*", ".*")
                assert any(re.fullmatch(told, name) for name in there[label]), (rule, one)
                seen += 1
    assert seen


def test_each_rule_says_what_to_do():
    for rule in rules():
        assert rule["for"], rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_prometheus_is_told_of_the_rules_and_asks_services_that_are_there():
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    services = yaml.safe_load((MONITORING.parents[1] / "docker-compose.yml").read_text())
    for job in config["scrape_configs"]:
        [[target]] = [each["targets"] for each in job["static_configs"]]
        name, _, port = target.partition(":")
        [published] = services["services"][name]["ports"]
        assert published.endswith(f":{port}")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing():
    config = str(MONITORING / "prometheus.yml")
    done = subprocess.run(
        ["promtool", "check", "config", config], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def settings(state: Path) -> Settings:
    return Settings(postgres_dsn=SecretStr("postgresql://"), kafka="kafka:9092", state_dir=state)
