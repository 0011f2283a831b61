"""Whatever a manifest names is in the same build, and is what the code calls it."""

import os
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from api.wall.thresholds import TYPE as PASSED
from cli.knative import HEAD
from cli.main import quire
from domain.catalog import COMMANDS, EVENTS, TOPICS
from stack import topics
from streams.settings import SourceSettings
from streams.source import PARTNER_TOPICS
from tests.unit.deploy.build import (
    BUILDS,
    DEPLOY,
    Document,
    is_knative_service,
    of_kind,
    pods,
    rendered,
    title,
    walk,
)

every_build = pytest.mark.parametrize("build", BUILDS)
BROKERS = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local"
README = DEPLOY / "README.md"
NOT_OURS = {("Service", "kourier-internal"), ("GatewayClass", "quire-public")}


def there(build: str) -> set[tuple[str, str, str, str]]:
    """(apiVersion, kind, namespace, name) of each document."""
    return {
        (
            each["apiVersion"],
            each["kind"],
            each["metadata"].get("namespace", ""),
            each["metadata"]["name"],
        )
        for each in rendered(build)
    }


def refs(build: str) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Each reference by apiVersion, kind and name, with who refers."""
    for document in rendered(build):
        namespace = document["metadata"].get("namespace", "")
        for way, inner in walk(document.get("spec", {})):
            if {"kind", "name"} <= inner.keys() and way[-1:] != ("metadata",):
                if way[-1:] == ("scaleTargetRef",):
                    continue
                target = (
                    inner.get("apiVersion", ""),
                    inner["kind"],
                    inner.get("namespace", namespace),
                )
                yield title(document), (*target, inner["name"])


@every_build
def test_objects_that_are_referred_to(build: str):
    known, seen = there(build), 0
    for who, target in refs(build):
        assert target in known or target[1::2] in NOT_OURS, f"{who} names {target}"
        seen += 1
    assert seen > 100


@every_build
def test_settings_secrets_and_accounts_that_pods_take(build: str):
    maps = {each["metadata"]["name"] for each in of_kind(build, "ConfigMap")}
    made = README.read_text()
    clusters = [each["metadata"]["name"] for each in of_kind(build, "Cluster")]
    users = [
        each
        for each in of_kind(build, "KafkaUser")
        if "password" not in each["spec"]["authentication"]  # such a one has a secret of ours
    ]
    authorities = {"quire-cluster-ca-cert", *(f"{name}-ca" for name in clusters)}
    of_operators = {*authorities, *(each["metadata"]["name"] for each in users)}
    for document in rendered(build):
        for way, inner in walk(document.get("spec", {})):
            kind = way[-1] if way else ""
            if kind in {"configMapRef", "configMapKeyRef", "configMap"}:
                assert inner["name"] in maps, f"{title(document)}: {inner['name']}"
            if kind == "secret" and "secretName" in inner:
                assert inner["secretName"] in of_operators, title(document)
                assert [item["key"] for item in inner["items"]] == ["ca.crt"], title(document)
            if kind in {"secretKeyRef", "passwordSecret", "secret"} and "name" in inner:
                if inner["name"] in of_operators:
                    continue
                assert f"create secret generic {inner['name']} " in made, (
                    f"{title(document)}: the README makes no {inner['name']}"
                )
                if "key" in inner:
                    making = made.split(f"create secret generic {inner['name']} ")[1]
                    assert f"{inner['key']}=" in making.split("\n\n")[0], inner


@every_build
def test_whoever_speaks_to_postgres_knows_whose_certificate_it_has(build: str):
    for name in ("owner", "app"):
        dsn = README.read_text().split(f"create secret generic postgres-{name} ")[1]
        told = parse_qs(urlsplit(dsn.split('dsn="')[1].split('"')[0]).query)
        assert told["sslmode"] == ["verify-full"]
    root = told["sslrootcert"][0]
    for pod in pods(build):
        asks = any("POSTGRES" in each["name"] for each in pod.container.get("env", []))
        mounted = {f"{m['mountPath']}/ca.crt" for m in pod.container.get("volumeMounts", [])}
        assert asks == (root in mounted) == ("quire.example/postgres" in pod.labels), pod.name


@every_build
def test_every_pod_of_a_workload_is_chosen_by_its_own_selector(build: str):
    for document in of_kind(build, "Deployment"):
        wanted = document["spec"]["selector"]["matchLabels"]
        assert wanted.items() <= document["spec"]["template"]["metadata"]["labels"].items()
    names = [each["metadata"]["name"] for each in of_kind(build, "Deployment")]
    for scaled in of_kind(build, "ScaledObject"):
        assert scaled["spec"]["scaleTargetRef"]["name"] in names
    for service in of_kind(build, "Service"):
        if is_knative_service(service):
            continue
        if selector := service["spec"].get("selector"):
            chosen = [pod for pod in pods(build) if selector.items() <= pod.labels.items()]
            assert chosen, title(service)


@every_build
def test_topics_are_those_of_the_stack_and_the_brokers_own(build: str):
    made = {each["metadata"]["name"]: each["spec"] for each in of_kind(build, "KafkaTopic")}
    for topic in topics.TOPICS:
        spec = made.pop(topic.name)
        assert spec["partitions"] == topic.partitions, topic.name
        for setting in ("retention.ms", "cleanup.policy", "max.message.bytes"):
            assert str(spec["config"][setting]) == topic.settings[setting], topic.name
        packed = spec["config"].get("compression.type", "producer")
        assert packed == topic.settings["compression.type"], topic.name
    assert made.keys() == {"quire.broker", "quire.analytics"}
    for broker in of_kind(build, "Broker"):
        outside = broker["metadata"]["annotations"]["kafka.eventing.knative.dev/external.topic"]
        assert outside in made, "the log's topic is never a Broker's"


@every_build
def test_whoever_names_a_topic_names_one_that_is_made(build: str):
    made = {each["metadata"]["name"] for each in of_kind(build, "KafkaTopic")}
    for source in of_kind(build, "KafkaSource"):
        assert set(source["spec"]["topics"]) <= made
    for sink in of_kind(build, "KafkaSink"):
        assert sink["spec"]["topic"] in made
        assert sink["metadata"]["name"] == sink["spec"]["topic"].replace(".", "-")
    for scaled in of_kind(build, "ScaledObject"):
        kafka = scaled["spec"]["triggers"][0]["metadata"]
        context = scaled["metadata"]["name"].removeprefix("worker-")
        assert kafka["topic"] == TOPICS[context]
        assert kafka["consumerGroup"] == f"quire-{context}"
        assert scaled["spec"]["maxReplicaCount"] == _partitions(kafka["topic"])


def _partitions(name: str) -> int:
    return next(each.partitions for each in topics.TOPICS if each.name == name)


@every_build
def test_kafka_is_where_everybody_looks_for_it(build: str):
    [kafka] = of_kind(build, "Kafka")
    name, space = kafka["metadata"]["name"], kafka["metadata"]["namespace"]
    ports = {each["port"] for each in kafka["spec"]["kafka"]["listeners"]}
    hosts = {f"{name}-kafka-bootstrap.{space}.svc:{port}" for port in ports}
    text = str(rendered(build))
    named = set(re.findall(r"[\w-]+-kafka-bootstrap[\w.-]*:\d+", text))
    assert named
    assert named <= hosts


@every_build
def test_every_context_has_its_sink_where_the_api_posts(build: str):
    sinks = {each["metadata"]["name"] for each in of_kind(build, "KafkaSink")}
    assert sinks == {each.replace(".", "-") for each in (*TOPICS.values(), "quire.dead-letters")}
    [settings] = [
        each for each in of_kind(build, "ConfigMap") if each["metadata"]["name"] == "quire-settings"
    ]
    address: str = settings["data"]["QUIRE_SINK_URL"]
    if address:  # the OIDC component goes to Kafka directly
        assert urlsplit(address).path == "/quire/{sink}"
        assert all(each["metadata"]["namespace"] == "quire" for each in of_kind(build, "KafkaSink"))


@every_build
def test_dead_letters_may_be_posted_where_they_failed(build: str):
    [agent] = [pod for pod in pods(build) if pod.name == "worker-dead-letters"]
    [told] = [e for e in agent.container["env"] if e["name"] == "QUIRE_REDRIVE_TARGETS"]
    receivers: set[str] = set()
    for document in rendered(build):
        spec = document.get("spec", {})
        for sink in (spec.get("sink"), spec.get("subscriber")):
            if not sink:
                continue
            ref: Document = sink["ref"]
            if document["kind"] == "PingSource":
                continue  # sends each event once, whatever comes of it
            if ref.get("kind") == "Service":
                receivers.add(f"http://{ref['name']}.quire.svc.cluster.local{sink.get('uri', '/')}")
            if ref.get("kind") == "Broker":
                space = ref.get("namespace", "quire")
                receivers.add(f"{BROKERS}/{space}/{ref['name']}")
    assert set(told["value"].split(",")) == receivers


@every_build
def test_partners_records_come_in_as_the_local_source_brings_them(build: str):
    ours = SourceSettings.model_fields
    found: set[str] = set()
    for source in of_kind(build, "KafkaSource"):
        spec = source["spec"]
        if not spec["topics"][0].startswith("partner."):
            continue
        found |= set(spec["topics"])
        assert len(spec["topics"]) == 1, "one that is stuck must hold up no other"
        assert spec["sink"]["uri"] == "/events"
        extensions = spec["ceOverrides"]["extensions"]
        assert extensions == {"sourcename": source["metadata"]["name"]}
        delivery = spec["delivery"]
        assert delivery["retry"] == ours["source_retries"].default
        assert delivery["backoffDelay"] == f"PT{ours['source_backoff_seconds'].default}S"
        assert delivery["timeout"] == f"PT{ours['source_timeout_seconds'].default}S"
    assert found == set(PARTNER_TOPICS)


@every_build
def test_a_type_for_each_of_the_catalog(build: str):
    types = [each["spec"]["type"] for each in of_kind(build, "EventType")]
    assert sorted(types) == sorted([*EVENTS, PASSED, *COMMANDS])


def test_the_types_were_made_by_the_command():
    made = CliRunner().invoke(quire, ["knative", "event-types"])
    assert made.output == (DEPLOY / "base" / "eventing" / "event-types.yaml").read_text()
    assert made.output.startswith(HEAD)


@every_build
def test_filters_name_types_that_there_are(build: str):
    for trigger in of_kind(build, "Trigger"):
        for each in trigger["spec"]["filters"]:
            for type in _types(each):
                assert any(re.fullmatch(type, known) for known in (*EVENTS, PASSED)), type


def _types(filter: Document) -> Iterator[str]:
    if "exact" in filter:
        yield re.escape(filter["exact"]["type"])
    if "prefix" in filter:
        yield re.escape(filter["prefix"]["type"]) + ".*"
    for text in re.findall(r"'([^']+)'", filter.get("cesql", "")):
        yield re.escape(text).replace("%", ".*").replace("_", ".")


def test_every_file_says_why():
    for page in sorted(DEPLOY.rglob("*.yaml")):
        if page.parent.name.startswith("."):
            continue
        assert re.search(r"^ *# .{30}", page.read_text(), re.MULTILINE), os.path.relpath(
            page, DEPLOY
        )
