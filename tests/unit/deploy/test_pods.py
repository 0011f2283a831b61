"""Every pod of ours says how it is, what it may use and what it may do; and runs what there is."""

import re
from typing import Any

import click
import pytest

from cli.main import quire
from tests.unit.deploy.build import BUILDS, OVERLAYS, Pod, of_kind, pods, rendered
from tests.unit.test_docs import ROOT, ROW

SECRET = re.compile(r"DSN|KEY|SECRET|PASSWORD")
every_build = pytest.mark.parametrize("build", BUILDS)


@every_build
def test_probes(build: str):
    for pod in pods(build):
        probes = {name for name in pod.container if name.endswith("Probe")}
        if pod.serves:
            assert probes >= {"livenessProbe", "readinessProbe"}, pod.name


@every_build
def test_probes_ask_where_the_process_listens(build: str):
    for pod in pods(build):
        container = pod.container
        ports = {each["containerPort"] for each in container.get("ports", [])}
        for name in ("livenessProbe", "readinessProbe", "startupProbe"):
            probe = container.get(name, {})
            if "httpGet" in probe:
                assert probe["httpGet"]["port"] in ports, pod.name
            elif probe:
                assert probe["exec"]["command"] == ["python", "-m", "cli.health"], pod.name
                assert "QUIRE_READY_FILE" in environment(pod), pod.name


@every_build
def test_resources(build: str):
    for pod in pods(build):
        resources = pod.container["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys(), pod.name
        assert "memory" in resources["limits"], pod.name


@every_build
def test_what_a_pod_may_do(build: str):
    for pod in pods(build):
        context = pod.container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True, pod.name
        assert context["allowPrivilegeEscalation"] is False, pod.name
        assert context["capabilities"] == {"drop": ["ALL"]}, pod.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, pod.name
        assert context["runAsNonRoot"] is True, pod.name
        user = context.get("runAsUser") or pod.spec["securityContext"]["runAsUser"]
        assert user == 10001, pod.name


@every_build
def test_nobody_gets_a_token(build: str):
    [account] = of_kind(build, "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    for pod in pods(build):
        assert pod.spec["serviceAccountName"] == account["metadata"]["name"], pod.name
        assert pod.spec.get("automountServiceAccountToken", False) is False, pod.name
        assert pod.spec["enableServiceLinks"] is False, pod.name


@every_build
def test_images_have_a_version(build: str):
    for pod in pods(build):
        name, _, tag = pod.container["image"].rpartition(":")
        assert name, f"{pod.name}: {pod.container['image']} has no tag"
        assert tag != "latest", pod.name


@every_build
def test_no_secret_stands_in_the_clear(build: str):
    assert not of_kind(build, "Secret")
    for pod in pods(build):
        for variable in pod.container.get("env", []):
            if SECRET.search(variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], f"{pod.name}: {variable['name']}"
    for settings in of_kind(build, "ConfigMap"):
        names = [name for name in settings["data"] if SECRET.search(name)]
        assert not names, f"{settings['metadata']['name']} holds {names}"


@every_build
def test_containers_run_commands_that_there_are(build: str):
    for pod in pods(build):
        words = list(pod.container["args"])
        command: click.Command = quire
        context = click.Context(command, info_name="quire")
        while isinstance(command, click.Group):
            following = command.get_command(context, words.pop(0))
            assert following is not None, pod.name
            context = click.Context(following, info_name=following.name, parent=context)
            command = following
        with context:
            command.parse_args(context, [*words, *_of_knative(pod)])


def _of_knative(pod: Pod) -> list[str]:
    """What Knative puts into the environment of the containers that it binds."""
    return ["--sink", "http://intake"] if "supplier" in pod.name else []


@every_build
def test_variables_are_settings_that_there_are(build: str):
    known = {row[0] for row in ROW.findall((ROOT / "docs" / "configuration.md").read_text())}
    for pod in pods(build):
        assert environment(pod).keys() <= known, pod.name
    for settings in of_kind(build, "ConfigMap"):
        if settings["metadata"]["name"] == "quire-settings":
            assert settings["data"].keys() <= known


@every_build
def test_who_stays_may_be_moved_one_at_a_time(build: str):
    budgets = [
        each["spec"]["selector"]["matchLabels"] for each in of_kind(build, "PodDisruptionBudget")
    ]
    for pod in pods(build):
        chosen = [labels for labels in budgets if labels.items() <= pod.labels.items()]
        assert len(chosen) == (pod.kind == "Deployment"), pod.name
    for labels in budgets:
        assert any(labels.items() <= pod.labels.items() for pod in pods(build)), labels


@every_build
def test_what_knative_serving_rejects_is_not_asked_for(build: str):
    for pod in pods(build):
        if pod.kind != "Service":
            continue
        flagged = {"affinity", "topologySpreadConstraints", "securityContext", "initContainers"}
        assert not flagged & pod.spec.keys(), pod.name
        assert 60 <= pod.spec["timeoutSeconds"] <= 600, pod.name  # queue-proxy drains for 30 s
        assert "containerConcurrency" in pod.spec, pod.name


def test_prometheus_asks_every_process_where_it_tells():
    """What an alert asks for is looked at in tests/unit/test_monitoring.py."""
    seen: set[str] = set()
    for monitor in of_kind("prod", "PodMonitor"):
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        for pod in pods("prod"):
            if not selected(monitor["spec"]["selector"], pod.labels):
                continue
            seen.add(pod.name)
            if pod.kind == "Deployment":  # Knative names the port of a Service itself: user-port
                [port] = pod.container["ports"]
                assert port["name"] == endpoint["port"]
                assert environment(pod)["QUIRE_METRICS_PORT"]["value"] == str(port["containerPort"])
            else:
                assert endpoint["port"] == "user-port"
    staying = {pod.name for pod in pods("prod") if pod.serves}
    assert staying - seen == {"wall", "supplier"}


def selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    exact = selector.get("matchLabels", {})
    lists = selector.get("matchExpressions", [])
    return exact.items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in lists
    )


@pytest.mark.parametrize("build", OVERLAYS)
def test_every_process_of_the_stack_is_there(build: str):
    running = {" ".join(pod.container["args"]) for pod in pods(build)}
    agents = ("order", "inventory", "payment", "shipping", "notification", "dead-letters")
    assert running >= {f"run worker {agent}" for agent in agents}
    assert running >= {f"run {name}" for name in ("relay", "projector", "timers", "sealer")}
    assert running >= {"run api", "run intake", "run wall", "migrate"}
    assert len(rendered(build)) > 100


def environment(pod: Pod) -> dict[str, Any]:
    return {each["name"]: each for each in pod.container.get("env", [])}
