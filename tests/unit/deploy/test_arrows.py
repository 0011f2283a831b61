"""The arrows that docs/knative.md draws are those that the network policies allow, both ways."""

import re
from collections.abc import Iterator

import pytest

from tests.unit.deploy.build import (
    ROOT,
    TOKENS_WITHOUT_SERVING,
    VARIANT,
    Document,
    of_kind,
    pods,
)

PAGE = ROOT / "docs" / "knative.md"
Arrow = tuple[str, str, int]


def drawn() -> set[Arrow]:
    table = PAGE.read_text().split("| from | to | port |\n")[1].split("\n\n")[0]
    found: set[Arrow] = set()
    for line in table.splitlines()[1:]:
        senders, receivers, ports = (cell.strip() for cell in line.strip("|").split("|"))
        found |= {
            (sender, receiver, int(port))
            for sender in senders.split(", ")
            for receiver in receivers.split(", ")
            for port in ports.split(", ")
        }
    return found


def allowed() -> set[Arrow]:
    found: set[Arrow] = set()
    for policy in of_kind("prod", "NetworkPolicy"):
        if policy["metadata"]["name"] in {"deny-all", "names", "postgres"}:
            continue
        spec = policy["spec"]
        for rule in spec.get("egress", []):
            found |= {
                (name, peer, port)
                for name in chosen(spec["podSelector"])
                for peer in map(told, rule["to"])
                for port in ports(rule)
            }
        for rule in spec.get("ingress", []):
            found |= {
                (peer, name, port)
                for name in chosen(spec["podSelector"])
                for peer in map(told, rule["from"])
                for port in ports(rule)
            }
    return found


def chosen(selector: Document) -> list[str]:
    labels = selector["matchLabels"]
    found = [pod.name for pod in pods("prod") if labels.items() <= pod.labels.items()]
    assert found, f"nobody has {labels}"
    return found


def ports(rule: Document) -> Iterator[int]:
    for each in rule["ports"]:
        yield each["port"]


def told(peer: Document) -> str:
    """How the page calls it."""
    if "ipBlock" in peer:
        return "the internet"
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    if "namespaceSelector" not in peer:
        return {"postgres": "Postgres", "quire": "Kafka"}[next(iter(labels.values()))]
    space = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    return f"{space}/{labels['app']}" if labels else space


def test_arrows_are_drawn_and_allowed():
    assert drawn() == allowed()


def test_nothing_is_allowed_to_begin_with():
    deny = {
        each["metadata"]["namespace"]: each["spec"]
        for each in of_kind("prod", "NetworkPolicy")
        if each["metadata"]["name"] == "deny-all"
    }
    assert deny.keys() == {each["metadata"]["name"] for each in of_kind("prod", "Namespace")}
    for spec in deny.values():
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        assert not {"ingress", "egress"} & spec.keys()
    assert {pod.name for pod in pods("prod")} == set(chosen(deny["quire"]["podSelector"]))
    assert deny["quire-analytics"]["podSelector"] == {}


def test_postgres_lets_in_whom_the_arrows_name():
    [policy] = [p for p in of_kind("prod", "NetworkPolicy") if p["metadata"]["name"] == "postgres"]
    ours = policy["spec"]["ingress"][0]["from"][0]["podSelector"]
    assert set(chosen(ours)) == {name for name, peer, _ in drawn() if peer == "Postgres"}


def test_kafka_lets_in_whom_the_arrows_name():
    [kafka] = of_kind("prod", "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    ours, *spaces = listener["networkPolicyPeers"]
    assert set(chosen(ours["podSelector"])) == {n for n, peer, _ in drawn() if peer == "Kafka"}
    assert re.findall(r"metadata.name': '([\w-]+)", str(spaces)) == ["knative-eventing", "keda"]
    assert {port for _, peer, port in drawn() if peer == "Kafka"} == {listener["port"]}


@pytest.mark.parametrize("build", [VARIANT, TOKENS_WITHOUT_SERVING])
def test_with_tokens_kafka_lets_in_those_that_go_by_no_sink(build: str):
    [kafka] = of_kind(build, "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    wanted = listener["networkPolicyPeers"][0]["podSelector"]["matchLabels"]
    doors = {pod.name: pod for pod in pods(build) if "quire.example/sinks" in pod.labels}
    assert {"orders-api", "intake"} <= doors.keys()
    for name, pod in doors.items():
        assert wanted.items() <= pod.labels.items(), name
