"""Nothing that Knative delivers can be lost without a word: retries and a dead-letter sink, all."""

import pytest

from tests.unit.deploy.build import BUILDS, VARIANT, Document, of_kind, title

every_build = pytest.mark.parametrize("build", BUILDS)
DELIVERERS = ("Broker", "Trigger", "KafkaSource", "KafkaChannel", "Subscription")
ORDER = "kafka.eventing.knative.dev/delivery.order"


@every_build
def test_every_delivery_is_tried_again_and_ends_in_the_dead_letters(build: str):
    found = of_kind(build, *DELIVERERS)
    assert {each["kind"] for each in found} == set(DELIVERERS)
    for document in found:
        delivery: Document = document["spec"].get("delivery", {})
        assert delivery.get("retry", 0) >= 5, title(document)
        assert delivery.get("backoffPolicy") == "exponential", title(document)
        assert delivery.get("backoffDelay"), title(document)
        sink = delivery.get("deadLetterSink", {}).get("ref", {})
        assert (sink.get("kind"), sink.get("name")) == ("KafkaSink", "quire-dead-letters")
        # Before the nth retry it waits 2^n times the delay, without a cap: an ordered delivery
        # holds its partition up for all of them.
        pauses = [0.2 * 2**n for n in range(1, delivery["retry"] + 1)]
        assert 45 < sum(pauses) < 240, title(document)


@every_build
def test_every_trigger_says_whether_order_matters(build: str):
    for trigger in of_kind(build, "Trigger"):
        assert trigger["metadata"]["annotations"][ORDER] in {"ordered", "unordered"}


@every_build
def test_every_source_has_a_group_of_its_own_and_begins_at_the_beginning(build: str):
    groups: list[str] = []
    for source in of_kind(build, "KafkaSource"):
        spec = source["spec"]
        groups.append(spec["consumerGroup"])
        assert (spec["initialOffset"], spec["ordering"]) == ("earliest", "ordered")
    assert len(set(groups)) == len(groups) == 5


@every_build
def test_brokers_are_of_class_kafka_on_topics_of_their_own(build: str):
    brokers = of_kind(build, "Broker")
    notes = [each["metadata"]["annotations"] for each in brokers]
    assert [each["eventing.knative.dev/broker.class"] for each in notes] == ["Kafka"] * 2
    outside = {each["kafka.eventing.knative.dev/external.topic"] for each in notes}
    assert outside == {"quire.broker", "quire.analytics"}


@every_build
def test_sinks_write_what_agents_can_read(build: str):
    for sink in of_kind(build, "KafkaSink"):
        assert sink["spec"]["contentMode"] == "binary"


def test_with_tokens_a_broker_is_told_who_may_send_from_another_namespace():
    """Knative's own word is: who is of the same namespace."""
    allowed = {
        (policy["metadata"]["namespace"], to["ref"]["name"])
        for policy in of_kind(VARIANT, "EventPolicy")
        for to in policy["spec"]["to"]
        if {"sub": "system:serviceaccount:quire:*"} in policy["spec"]["from"]
    }
    copies = [each["spec"]["subscriber"]["ref"] for each in of_kind(VARIANT, "Trigger")]
    other = {(ref["namespace"], ref["name"]) for ref in copies if ref.get("namespace")}
    assert other == {("quire-analytics", "default")}
    assert other <= allowed
