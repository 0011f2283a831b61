"""Every pod of ours says how it is, what it may use and what it may do; and runs what there is."""

import re
from typing import Any

import click
import pytest

from cli.health import STANDS_STILL_SECONDS
from cli.main import quire
from domain.catalog import TOPICS
from streams.settings import Settings
from tests.unit.deploy.build import (
    BUILDS,
    OVERLAYS,
    VARIANT,
    Pod,
    is_knative_service,
    of_kind,
    pods,
    rendered,
    title,
)
from tests.unit.test_docs import ROOT, ROW

LOCAL = "networking.knative.dev/visibility"
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
        if not pod.ours:
            continue
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
def test_a_roll_out_takes_nobody_out_of_the_middle_of_its_work(build: str):
    """A worker's batch ends before its pod does; two of a kind are not on one node."""
    drain = Settings.model_fields["drain_seconds"].default
    for document in of_kind(build, "Deployment"):
        pod = document["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] > 2 * drain, title(document)
        if document["spec"]["strategy"]["type"] == "Recreate":
            continue  # whose file must have one writer: tests/unit/deploy/test_provider.py
        rolling = {"maxSurge": 1, "maxUnavailable": 0}
        assert document["spec"]["strategy"]["rollingUpdate"] == rolling, title(document)
        spread = {each["topologyKey"] for each in pod["topologySpreadConstraints"]}
        assert "kubernetes.io/hostname" in spread, title(document)


@every_build
def test_workers_are_not_hurried_by_their_probes(build: str):
    """A process may wait for its servers at the start; later it is given more than one look."""
    seen = 0
    for pod in pods(build):
        if pod.kind != "Deployment" or "quire.example/serves" in pod.labels:
            continue
        seen += 1
        start, live = (pod.container[f"{name}Probe"] for name in ("startup", "liveness"))
        assert start["periodSeconds"] * start["failureThreshold"] >= 300, pod.name
        assert live["failureThreshold"] > 1, pod.name
        # A look begins an interpreter, and the file is a minute old before anybody complains.
        assert live["timeoutSeconds"] >= 5, pod.name
        assert live["periodSeconds"] < STANDS_STILL_SECONDS, pod.name
    assert seen == 10


def test_agents_are_scaled_by_lag_and_two_of_them_by_the_clock():
    scaled = of_kind("prod", "ScaledObject")
    assert {each["metadata"]["name"] for each in scaled} == {f"worker-{name}" for name in TOPICS}
    clocks: set[str] = set()
    for each in scaled:
        assert each["spec"]["minReplicaCount"] == 1, "timers and parked messages need an owner"
        lag, *others = each["spec"]["triggers"]
        assert lag["type"] == "kafka"
        clocks |= {each["metadata"]["name"] for other in others if other["type"] == "cron"}
    assert clocks == {"worker-order", "worker-inventory"}


def test_roles_of_services():
    """Checkout is never at zero; what may wait for a start is; an export has a pod for itself."""
    scales: dict[str, str] = {}
    at_once: dict[str, int] = {}
    for each in of_kind("dev", "Service"):
        if is_knative_service(each):
            template = each["spec"]["template"]
            note = template["metadata"]["annotations"]
            name = each["metadata"]["name"]
            scales[name] = note["autoscaling.knative.dev/min-scale"]
            at_once[name] = template["spec"]["containerConcurrency"]
            assert each["metadata"]["labels"][LOCAL] == "cluster-local", name
    others = ("reporting", "audit", "intake", "wall")
    assert scales == {"orders-api": "1", **dict.fromkeys(others, "0")}
    assert at_once["audit"] == 1
    warmed = {p["spec"]["sink"]["ref"]["name"] for p in of_kind("dev", "PingSource")}
    assert warmed >= {"reporting", "intake", "wall"}


def test_a_canary_has_a_share_and_an_address():
    [api] = [each for each in of_kind(VARIANT, "Service") if title(each) == "Service orders-api"]
    assert [each["tag"] for each in api["spec"]["traffic"]] == ["stable", "canary"]
    assert sum(each["percent"] for each in api["spec"]["traffic"]) == 100
    assert api["metadata"]["annotations"]["serving.knative.dev/rollout-duration"] == "120s"


@every_build
def test_a_way_back_ends_with_the_next_roll_out(build: str):
    """What the manifest does not say, `kubectl apply` leaves as a person has patched it."""
    for each in of_kind(build, "Service"):
        if is_knative_service(each) and each["metadata"]["name"] == "orders-api":
            assert {"latestRevision", "percent"} <= each["spec"]["traffic"][-1].keys()


def test_no_two_nodes_of_kafka_are_lost_together():
    [pool] = of_kind("prod", "KafkaNodePool")
    spread = pool["spec"]["template"]["pod"]["topologySpreadConstraints"]
    assert {each["topologyKey"] for each in spread} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }
    for each in spread:
        assert (each["maxSkew"], each["whenUnsatisfiable"]) == (1, "DoNotSchedule")


@every_build
def test_namespaces_let_no_other_pods_in(build: str):
    for space in of_kind(build, "Namespace"):
        labels = space["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted", title(space)


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
    running = {" ".join(pod.container["args"]) for pod in pods(build) if pod.ours}
    agents = ("order", "inventory", "payment", "shipping", "notification", "dead-letters")
    assert running >= {f"run worker {agent}" for agent in agents}
    assert running >= {f"run {name}" for name in ("relay", "projector", "timers", "sealer")}
    assert running >= {"run api", "run intake", "run wall", "migrate"}
    assert len(rendered(build)) > 100


def environment(pod: Pod) -> dict[str, Any]:
    return {each["name"]: each for each in pod.container.get("env", [])}
