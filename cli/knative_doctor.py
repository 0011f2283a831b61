"""`quire knative doctor`: looks at a cluster piece by piece, each after what it needs.

It speaks to the Kubernetes API by `kubectl proxy`, so it needs no rights but those of who runs it.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast
from uuid import uuid4

import httpx

SPACE = "quire"
PROBE = "quire.notification.failed.v1"
"""The channel's Trigger lets it through; nothing but the wall hears of it."""

PROBE_SECONDS = 90.0
POLICY = f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/networkpolicies/from-serving"
"""It lets gateway and activator to the wall, and so not the API server's proxy."""

UNSEEN = """\
not looked at: whether it came to the wall, since network policies let nobody there from here:
kubectl -n kourier-system port-forward service/kourier-internal 8088:80 &
curl -s -H 'Host: wall.quire.svc.cluster.local' http://127.0.0.1:8088/minutes | grep -o {mark}"""

SECRETS = ("postgres-owner", "postgres-app", "postgres-reader", "quire-keys")
OVERLAYS = ("dev", "prod", "eventing-only")


class Finding(NamedTuple):
    """One thing that was looked at; `wrong` is empty when it is as it should be."""

    what: str
    wrong: str = ""
    fix: str = ""
    unseen: str = ""
    """What could not be looked at from here, and the commands that do."""
    alone: bool = False
    """`wrong` tells people by itself what was looked at."""


class Cluster:
    """The API behind `kubectl proxy`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=10)

    def get(self, path: str) -> dict[str, Any] | None:
        """An object, or none; raises httpx.HTTPError when the API itself does not answer."""
        answer = self._client.get(path)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def listed(self, path: str) -> list[dict[str, Any]]:
        found = self.get(path) or {}
        return cast("list[dict[str, Any]]", found.get("items", []))

    def post(self, path: str, headers: dict[str, str], content: bytes) -> int:
        return self._client.post(path, headers=headers, content=content).status_code


Look = Callable[[Cluster], Finding]


def api_there(cluster: Cluster) -> Finding:
    what = "the Kubernetes API answers"
    try:
        version = cluster.get("/version")
    except httpx.HTTPError as fault:
        return unanswered(cluster, fault, "Run `kubectl proxy` in another terminal, or give --api.")
    return Finding(what) if version else Finding(what, "it has no version", "Is it one at all?")


def unanswered(cluster: Cluster, fault: httpx.HTTPError, fix: str) -> Finding:
    what = "the Kubernetes API answers"
    if not isinstance(fault, httpx.ConnectError | httpx.TimeoutException):
        return Finding(what, repr(fault), fix)
    why = re.sub(r"^\[Errno -?\d+\] ", "", str(fault)) or "no answer in time"
    wrong = f"nothing answers at {cluster.url} ({why[0].lower()}{why[1:]})"
    return Finding(what, wrong, fix, alone=True)


def installed(group: str, kinds: str) -> Look:
    def look(cluster: Cluster) -> Finding:
        there = cluster.get(f"/apis/{group}")
        wrong = "" if there else f"there is no {group}"
        return Finding(f"{kinds} installed", wrong, "deploy/README.md, step 1, installs it.")

    return look


def secret(name: str) -> Look:
    def look(cluster: Cluster) -> Finding:
        there = cluster.get(f"/api/v1/namespaces/{SPACE}/secrets/{name}")
        fix = "deploy/README.md, step 3, makes it."
        return Finding(f"secret {name}", "" if there else "it is not there", fix)

    return look


def ready(path: str, kind: str, fix: str, condition: str = "Ready", space: str = SPACE) -> Look:
    """All objects of a kind, of which there has to be one at least."""

    def look(cluster: Cluster) -> Finding:
        found = cluster.listed("/apis/" + path.replace("{space}", space))
        what = f"{kind} {condition.lower()}"
        if not found:
            return Finding(what, "there is none", "Apply the overlay: deploy/README.md, step 4.")
        for each in found:
            if why := not_so(each, condition):
                return Finding(what, f"{each['metadata']['name']}: {why}", fix)
        return Finding(f"{what} ({len(found)})")

    return look


def not_so(document: dict[str, Any], condition: str) -> str:
    """Why the condition does not hold; empty when it does."""
    for each in document.get("status", {}).get("conditions", []):
        if each["type"] == condition:
            if each["status"] == "True":
                return ""
            return each.get("message") or each.get("reason") or f"{condition} is {each['status']}"
    return f"nobody says that it is {condition}: does its controller run?"


def broker_address(cluster: Cluster) -> Finding:
    what = "the Broker has an address"
    broker = cluster.get(f"/apis/eventing.knative.dev/v1/namespaces/{SPACE}/brokers/default")
    url = (broker or {}).get("status", {}).get("address", {}).get("url", "")
    fix = (
        "Is eventing-kafka-broker installed, and its class Kafka? kubectl -n quire describe broker"
    )
    return Finding(what, "" if url else "it has none", fix)


def knative_knows_kafka(cluster: Cluster) -> Finding:
    """Made before Kafka is there, and completed afterwards, which is forgotten easily."""
    what = "Knative can sign in to Kafka"
    held = cluster.get(f"/api/v1/namespaces/{SPACE}/secrets/knative-kafka") or {}
    wrong = "" if held.get("data", {}).get("ca.crt") else "secret knative-kafka has no ca.crt"
    return Finding(what, wrong, "deploy/README.md, step 3, fills it in once Kafka is ready.")


def probe(wall: Callable[[Cluster], str]) -> Look:
    """An event through the whole way out: Broker, Trigger, channel, Subscription, wall.

    Where network policies keep the API server from the wall, only up to the Broker.
    """
    return lambda cluster: _probed(cluster, wall)


def _probed(cluster: Cluster, wall: Callable[[Cluster], str]) -> Finding:
    what = "an event goes through Broker, Trigger, channel and Subscription to the wall"
    mark = f"probe-{uuid4()}"
    status = cluster.post(
        f"/api/v1/namespaces/knative-eventing/services/kafka-broker-ingress:80/proxy/{SPACE}/default",
        {
            "ce-specversion": "1.0",
            "ce-id": mark,
            "ce-source": "quire/doctor",
            "ce-type": PROBE,
            "ce-subject": mark,
            "content-type": "application/json",
        },
        b"{}",
    )
    if status != 202:
        fix = "kubectl -n knative-eventing logs deployment/kafka-broker-receiver"
        return Finding(what, f"the Broker answers {status}", fix)
    if cluster.get(POLICY):
        return Finding("the Broker takes an event", unseen=UNSEEN.format(mark=mark))
    end = time.monotonic() + PROBE_SECONDS
    while time.monotonic() < end:
        if mark in _attention(cluster, wall(cluster)):
            return Finding(what)
        time.sleep(0.2)
    fix = "quire parked list --processor quire-dead-letters; the logs of the dispatchers."
    return Finding(what, f"it did not arrive in {PROBE_SECONDS:.0f} s", fix)


def _attention(cluster: Cluster, service: str) -> str:
    try:
        return str(cluster.get(f"/api/v1/namespaces/{SPACE}/services/{service}:80/proxy/minutes"))
    except httpx.HTTPError:
        return ""  # scaled to zero until the event has started it


def _revision_of_wall(cluster: Cluster) -> str:
    """The Service of the pods themselves: the Knative Service's own name leads to the gateway."""
    wall = cluster.get(f"/apis/serving.knative.dev/v1/namespaces/{SPACE}/services/wall") or {}
    return f"{wall.get('status', {}).get('latestReadyRevisionName', '')}-private"


STRIMZI = "kafka.strimzi.io/v1/namespaces/{space}"
KNATIVE = "eventing.knative.dev/v1/namespaces/{space}"
DESCRIBE = "kubectl -n quire describe it; its conditions name what it waits for."
SERVERS: tuple[Look, ...] = (
    installed("eventing.knative.dev", "Knative Eventing"),
    installed("sources.knative.dev", "Knative's sources"),
    installed("messaging.knative.dev", "Knative's channels"),
    installed("kafka.strimzi.io", "Strimzi"),
    installed("postgresql.cnpg.io", "CloudNativePG"),
    installed("keda.sh", "KEDA"),
    *map(secret, SECRETS),
    ready(
        f"{STRIMZI}/kafkas", "Kafka", "kubectl -n quire logs deployment/strimzi-cluster-operator"
    ),
    ready(f"{STRIMZI}/kafkatopics", "topics", DESCRIBE),
    ready("postgresql.cnpg.io/v1/namespaces/{space}/clusters", "Postgres", DESCRIBE),
)
USERS: tuple[Look, ...] = (
    secret("smtp"),
    knative_knows_kafka,
    ready(f"{STRIMZI}/kafkausers", "Kafka's users", DESCRIBE),
)
PROCESSES: tuple[Look, ...] = (
    ready(
        "batch/v1/namespaces/{space}/jobs?labelSelector=app.kubernetes.io/name%3Dmigrate",
        "migration",
        "kubectl -n quire logs job/migrate",
        "Complete",
    ),
    ready(
        "apps/v1/namespaces/{space}/deployments",
        "processes",
        "kubectl -n quire logs of it; the last line says what it waits for.",
        "Available",
    ),
    ready("eventing.knative.dev/v1alpha1/namespaces/{space}/kafkasinks", "KafkaSinks", DESCRIBE),
)
SERVICES = ready("serving.knative.dev/v1/namespaces/{space}/services", "Knative Services", DESCRIBE)
EVENTS: tuple[Look, ...] = (
    broker_address,
    ready(f"{KNATIVE}/brokers", "Broker", DESCRIBE),
    ready(f"{KNATIVE}/brokers", "Broker of quire-analytics", DESCRIBE, space="quire-analytics"),
    ready(
        "messaging.knative.dev/v1/namespaces/{space}/kafkachannels",
        "channel",
        "Does kafka-channel-config in knative-eventing name our Kafka?",
    ),
    ready("messaging.knative.dev/v1/namespaces/{space}/subscriptions", "Subscription", DESCRIBE),
    ready(f"{KNATIVE}/triggers", "Triggers", DESCRIBE),
    ready("sources.knative.dev/v1/namespaces/{space}/kafkasources", "KafkaSources", DESCRIBE),
)


def looks(overlay: str) -> tuple[Look, ...]:
    """What an overlay consists of, each after what it needs."""
    serving = overlay != "eventing-only"
    return (
        api_there,
        *((installed("serving.knative.dev", "Knative Serving"),) if serving else ()),
        *SERVERS,
        *(USERS if overlay == "prod" else ()),
        *PROCESSES,
        *((SERVICES,) if serving else ()),
        *EVENTS,
        probe(_revision_of_wall if serving else lambda _: "wall"),
    )


def examine(url: str, overlay: str) -> Iterator[Finding]:
    """What was looked at, up to the first thing that is wrong: what comes after it needs it."""
    cluster = Cluster(url)
    for look in looks(overlay):
        try:
            found = look(cluster)
        except httpx.HTTPError as fault:
            found = unanswered(cluster, fault, "May you read all of it?")
        yield found
        if found.wrong:
            return
