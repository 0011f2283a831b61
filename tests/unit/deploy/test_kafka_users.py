"""In Kafka each process may do what it works with, the same as in containers, and no more."""

from stack.rights import GROUP, READ, TOPIC, WRITE, rights
from tests.unit.deploy.build import Document, of_kind, pods

OPERATIONS = {"Read": READ, "Write": WRITE}
KINDS = {"topic": TOPIC, "group": GROUP}
OTHERS = {"knative", "keda"}
BY_SINKS = {"api", "intake", "source"}
"""They have a Kafka client elsewhere; here Knative stands between."""


def users() -> dict[str, list[Document]]:
    return {
        each["metadata"]["name"]: each["spec"]["authorization"]["acls"]
        for each in of_kind("prod", "KafkaUser")
    }


def test_each_process_has_the_rights_that_it_has_in_containers():
    given = {
        (user, KINDS[acl["resource"]["type"]], acl["resource"]["name"], OPERATIONS[operation])
        for user, acls in users().items()
        if user not in OTHERS
        for acl in acls
        for operation in acl["operations"]
        if operation != "Describe"
    }
    assert given == {tuple(right) for right in rights() if right.user not in BY_SINKS}


def test_nothing_but_groups_of_knative_is_given_by_prefix():
    for user, acls in users().items():
        for acl in acls:
            if acl["resource"]["patternType"] == "prefix":
                assert (user in OTHERS, acl["resource"]["type"]) == (True, "group")


def test_whoever_speaks_to_kafka_signs_in_as_itself():
    speaking = [pod for pod in pods("prod") if pod.labels.get("quire.example/kafka") == "yes"]
    assert {pod.name for pod in speaking} == users().keys() - OTHERS
    for pod in speaking:
        told = {each["name"]: each for each in pod.container["env"]}
        assert told["QUIRE_KAFKA_SECURITY_PROTOCOL"]["value"] == "SASL_SSL"
        name = told["QUIRE_KAFKA_USERNAME"]["valueFrom"]["fieldRef"]["fieldPath"]
        assert name == "metadata.labels['app.kubernetes.io/name']"
        assert pod.labels["app.kubernetes.io/name"] == pod.name
        assert told["QUIRE_KAFKA_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == pod.name
        [mount] = [m for m in pod.container["volumeMounts"] if m["name"] == "kafka-ca"]
        assert told["QUIRE_KAFKA_CA_FILE"]["value"] == f"{mount['mountPath']}/ca.crt"


def test_nobody_speaks_to_kafka_in_the_clear():
    [kafka] = of_kind("prod", "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    assert (listener["tls"], listener["authentication"]["type"]) == (True, "scram-sha-512")
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    for source in of_kind("prod", "KafkaSource"):
        net = source["spec"]["net"]
        assert (net["tls"]["enable"], net["sasl"]["enable"]) == (True, True)
    for sink in of_kind("prod", "KafkaSink"):
        assert sink["spec"]["auth"]["secret"]["ref"]["name"] == "knative-kafka"
    for scaled in of_kind("prod", "ScaledObject"):
        assert scaled["spec"]["triggers"][0]["metadata"]["tls"] == "enable"
