"""What the rehearsal tells Knative's data plane is what a control plane makes of the manifests."""

from pathlib import Path

import pytest

from tests.knative import contract
from tests.knative.plane import settings
from tests.unit.deploy.build import BUILDS, Document, of_kind

every_build = pytest.mark.parametrize("build", BUILDS)
KAFKA = "kafka:9092"

CONFIG = """\
apiVersion: v1
kind: ConfigMap
data:
  _example: |
      enable.idempotence=false
  config-kafka-sink-producer.properties: |
    enable.idempotence=false
    max.request.size=1048576
  config-kafka-sink-consumer.properties: |
    auto.offset.reset=latest
    max.poll.records=50
  config-kafka-sink-httpserver.properties: |
    idleTimeout=0
  config-kafka-sink-webclient.properties: |
    idleTimeout=10000
"""
"""Lines of knative-v1.23.0's settings."""


def egresses(build: str) -> list[tuple[Document, Document]]:
    """(resource, egress) of all that is delivered."""
    made = contract.sources(build, KAFKA, str) + contract.triggers(build, KAFKA, str)
    return [(each, each["egresses"][0]) for each in made]


@every_build
def test_all_that_is_sent_to_the_data_plane_is_listened_for(build: str):
    made = contract.ingresses(build, KAFKA)
    paths = [each["ingress"]["path"] for each in made]
    assert len(set(paths)) == len(paths) == len(of_kind(build, *contract.INGRESS))
    assert all(each["topics"] for each in made)
    for _, egress in egresses(build):
        address, letters = egress["destination"], egress["egressConfig"]["deadLetter"]
        for each in (address, letters):
            host, _, path = each.removeprefix("http://").partition("/")
            assert host.endswith(".svc.cluster.local")
            assert host not in contract.INGRESS.values() or f"/{path}" in paths
        assert letters.endswith("/quire/quire-dead-letters")


@every_build
def test_each_delivery_as_its_manifest_says(build: str):
    made = egresses(build)
    assert len(made) == len(of_kind(build, "KafkaSource", "Trigger", "Subscription"))
    for resource, egress in made:
        config = egress["egressConfig"]
        assert (config["backoffDelay"], config["backoffPolicy"]) == (200, "Exponential")
        assert config["timeout"] in {0, 30_000}
        name, kind = egress["reference"]["name"], egress["reference"]["kind"]
        [spec] = [each["spec"] for each in of_kind(build, kind) if each["metadata"]["name"] == name]
        assert config["retry"] == spec["delivery"]["retry"]
        assert len(egress.get("dialectedFilter", [])) == len(spec.get("filters", []))
        assert ("replyToOriginalTopic" in egress) == (kind == "Trigger")
        assert resource["bootstrapServers"] == KAFKA
    groups = [egress["consumerGroup"] for _, egress in made]
    assert len(set(groups)) == len(groups)
    [analytics] = [egress for _, egress in made if egress["reference"]["name"] == "analytics"]
    assert analytics["deliveryOrder"] == "ORDERED"
    assert analytics["dialectedFilter"] == [{"prefix": {"attributes": {"type": "quire.order."}}}]


def test_the_readmes_command_changes_each_setting_that_it_names(tmp_path: Path):
    (tmp_path / "100-config-kafka-sink-data-plane.yaml").write_text(CONFIG)
    told = {
        name.removeprefix("config-kafka-sink-").removesuffix(".properties"): text.split()
        for name, text in settings(tmp_path).items()
    }
    assert told == {
        "producer": ["enable.idempotence=true", "max.request.size=4194304"],
        "consumer": ["auto.offset.reset=earliest", "max.poll.records=500"],
        "httpserver": ["maxHeaderSize=4194304", "host=127.0.0.1"],
        "webclient": ["idleTimeout=10000"],
    }
