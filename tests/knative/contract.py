"""What Knative's control plane would tell its Kafka data plane of our manifests.

The shape is `proto/contract.proto` of eventing-kafka-broker, as its JSON; what goes where follows
its reconcilers: a KafkaSource drops replies, a Trigger writes them into its Broker's topic.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.deploy.build import Document, of_kind

INGRESS = {
    "KafkaSink": "kafka-sink-ingress.knative-eventing.svc.cluster.local",
    "Broker": "kafka-broker-ingress.knative-eventing.svc.cluster.local",
    "KafkaChannel": "kafka-channel-ingress.knative-eventing.svc.cluster.local",
}
"""The receiver of each kind; the path is /NAMESPACE/NAME."""

ORDER = "kafka.eventing.knative.dev/delivery.order"
TOPIC = "kafka.eventing.knative.dev/external.topic"
Here = Callable[[str], str]


def ingresses(build: str, bootstrap: str) -> list[Document]:
    """What a receiver listens for: each sink, Broker and channel, and its topic."""
    return [
        _resource(each, [topic_of(each)], bootstrap)
        | {"ingress": {"path": "/{namespace}/{name}".format(**each["metadata"])}}
        for each in of_kind(build, *INGRESS)
    ]


def sources(build: str, bootstrap: str, here: Here) -> list[Document]:
    """What the dispatcher of KafkaSources delivers; `here` turns an address into one that leads."""
    return [
        _resource(each, each["spec"]["topics"], bootstrap)
        | {
            "cloudEventOverrides": each["spec"].get("ceOverrides", {}),
            "egresses": [
                _egress(each, each["spec"]["sink"], each["spec"]["delivery"], here)
                | {
                    "consumerGroup": each["spec"]["consumerGroup"],
                    "deliveryOrder": each["spec"].get("ordering", "ordered").upper(),
                    "discardReply": {},
                }
            ],
        }
        for each in of_kind(build, "KafkaSource")
    ]


def triggers(build: str, bootstrap: str, here: Here) -> list[Document]:
    """What the dispatcher of Brokers delivers, and that of channels."""
    return [_trigger(build, each, bootstrap, here) for each in of_kind(build, "Trigger")] + [
        _subscription(build, each, bootstrap, here) for each in of_kind(build, "Subscription")
    ]


def write(path: Path, resources: list[Document]) -> None:
    """Put the contract where a receiver or a dispatcher reads it."""
    path.write_text(json.dumps({"generation": 1, "resources": resources}))


def topic_of(document: Document) -> str:
    """The topic into which a sink, a Broker or a channel writes."""
    if document["kind"] == "KafkaSink":
        return document["spec"]["topic"]
    if document["kind"] == "Broker":
        return document["metadata"]["annotations"][TOPIC]
    return "knative-messaging-kafka.{namespace}.{name}".format(**document["metadata"])


def address_of(destination: Document, namespace: str) -> str:
    """The address of a sink or a subscriber in the cluster."""
    ref = destination["ref"]
    place = ref.get("namespace", namespace), ref["name"]
    if ref["kind"] in INGRESS:
        return "http://{}/{}/{}".format(INGRESS[ref["kind"]], *place)
    return f"http://{place[1]}.{place[0]}.svc.cluster.local{destination.get('uri', '')}"


def _trigger(build: str, trigger: Document, bootstrap: str, here: Here) -> Document:
    spec, meta = trigger["spec"], trigger["metadata"]
    broker = _named(build, "Broker", spec["broker"], meta["namespace"])
    order = meta.get("annotations", {}).get(ORDER, "unordered")
    filters: list[Any] = [_filter(each) for each in spec.get("filters", [])]
    delivery = spec.get("delivery", broker["spec"].get("delivery", {}))
    egress: Document = _egress(trigger, spec["subscriber"], delivery, here) | {
        "consumerGroup": "knative-trigger-{namespace}-{name}".format(**meta),
        "deliveryOrder": order.upper(),
        "replyToOriginalTopic": {},
        "dialectedFilter": filters,
    }
    return _resource(broker, [topic_of(broker)], bootstrap) | {
        "uid": _uid(trigger),
        "egresses": [egress],
    }


def _subscription(build: str, each: Document, bootstrap: str, here: Here) -> Document:
    spec, meta = each["spec"], each["metadata"]
    channel = _named(build, "KafkaChannel", spec["channel"]["name"], meta["namespace"])
    delivery = spec.get("delivery", channel["spec"].get("delivery", {}))
    egress: Document = _egress(each, spec["subscriber"], delivery, here) | {
        "consumerGroup": "kafka.{namespace}.{name}".format(**meta),
        "deliveryOrder": "ORDERED",
        "discardReply": {},
    }
    return _resource(channel, [topic_of(channel)], bootstrap) | {
        "uid": _uid(each),
        "egresses": [egress],
    }


def _egress(document: Document, sink: Document, delivery: Document, here: Here) -> Document:
    namespace = document["metadata"]["namespace"]
    letters = here(address_of(delivery["deadLetterSink"], namespace))
    config = {
        "deadLetter": letters,
        "retry": delivery["retry"],
        "backoffPolicy": delivery["backoffPolicy"].capitalize(),
        "backoffDelay": milliseconds(delivery["backoffDelay"]),
        "timeout": milliseconds(delivery.get("timeout", "PT0S")),
    }
    return {
        "uid": _uid(document),
        "destination": here(address_of(sink, namespace)),
        "egressConfig": config,
        "reference": _reference(document),
        "vReplicas": 1,
    }


def milliseconds(duration: str) -> int:
    """Of a duration in seconds, as `PT0.2S`."""
    return round(float(duration.removeprefix("PT").removesuffix("S")) * 1000)


def _filter(told: Document) -> Document:
    [(kind, said)] = told.items()
    return {"cesql": {"expression": said}} if kind == "cesql" else {kind: {"attributes": said}}


def _resource(document: Document, topics: list[str], bootstrap: str) -> Document:
    return {
        "uid": _uid(document),
        "topics": topics,
        "bootstrapServers": bootstrap,
        "reference": _reference(document),
    }


def _reference(document: Document) -> Document:
    meta = document["metadata"]
    return {
        "uuid": _uid(document),
        "namespace": meta["namespace"],
        "name": meta["name"],
        "kind": document["kind"],
        "groupVersion": document["apiVersion"],
    }


def _uid(document: Document) -> str:
    return "{kind}-{metadata[namespace]}-{metadata[name]}".format(**document)


def _named(build: str, kind: str, name: str, namespace: str) -> Document:
    [found] = [
        each
        for each in of_kind(build, kind)
        if (each["metadata"]["name"], each["metadata"]["namespace"]) == (name, namespace)
    ]
    return found
