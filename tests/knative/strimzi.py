"""Strimzi's part: a Kafka as its manifests ask for it, with its topics, its users and their rights.

It is one node, so what says how many have to have a record is one.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from stack import kafka
from stack.certificates import issue
from stack.layout import LOOPBACK
from stack.ports import free_ports
from stack.rights import ALLOW, GROUP, TOPIC
from stack.topics import Topic, ensure
from tests.integration.servers import running
from tests.integration.state_dirs import state_dir
from tests.unit.deploy.build import Document, of_kind

COPIES = {
    "default.replication.factor",
    "min.insync.replicas",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
}
MECHANISMS = {"scram-sha-512": "SCRAM-SHA-512"}
KINDS = {"topic": TOPIC, "group": GROUP}
PATTERNS = {"literal": 3, "prefix": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8}


class Kafka(NamedTuple):
    """Where it answers its clients, and where whoever administers it; what they need to sign in."""

    address: str
    operator: str
    authority: str
    passwords: Mapping[str, str]


@contextmanager
def running_kafka(build: str, chosen: Mapping[str, str]) -> Generator[Kafka]:
    """The listener of the manifest, and one in the clear for ourselves, who may do everything.

    `chosen`: the passwords that no operator makes, by the secrets that users refer to.
    """
    [document] = of_kind(build, "Kafka")
    spec = document["spec"]["kafka"]
    passwords = {
        user["metadata"]["name"]: _password(user["spec"]["authentication"], chosen)
        for user in of_kind(build, "KafkaUser")
    }
    with state_dir(in_memory=True) as layout:
        port, controller, operator = free_ports(3)
        authority, more = _listening(spec, layout.root, port, controller, operator)
        for name, value in spec["config"].items():
            more[name] = 1 if name in COPIES else str(value).lower()
        prepared = kafka.prepare(
            layout.kafka, operator, controller, print, more=more, users=passwords
        )
        with running(prepared):
            yield Kafka(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{operator}", authority, passwords)


def _password(authentication: Document, chosen: Mapping[str, str]) -> str:
    if "password" not in authentication:
        return token_hex(16)
    return chosen[authentication["password"]["valueFrom"]["secretKeyRef"]["name"]]


def _listening(
    spec: Document, directory: Path, port: int, controller: int, operator: int
) -> tuple[str, dict[str, object]]:
    [listener] = spec["listeners"]
    secure = listener["tls"]
    protocol = "SASL_SSL" if secure else "PLAINTEXT"
    ours = f"PLAINTEXT://{LOOPBACK}:{operator},CLIENTS://{LOOPBACK}:{port}"
    more: dict[str, object] = {
        "listeners": f"{ours},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": ours,
        "listener.security.protocol.map": (
            f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:{protocol}"
        ),
    }
    if spec.get("authorization") == {"type": "simple"}:
        more["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        more["super.users"] = "User:ANONYMOUS"
    if not secure:
        return "", more
    mechanism = MECHANISMS[listener["authentication"]["type"]]
    authority, made = issue({"kafka": (LOOPBACK,)})
    keys = directory / "kafka.pem"
    with os.fdopen(os.open(keys, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(made["kafka"].key + made["kafka"].certificate)
    signs_in = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return authority, more | {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keys,
        "sasl.enabled.mechanisms": mechanism,
        f"listener.name.clients.{mechanism.lower()}.sasl.jaas.config": signs_in,
    }


async def reconcile(build: str, operator: str) -> None:
    """Make topics and rights, as Strimzi's operators do. Raises KafkaError."""
    await ensure(
        operator,
        [
            Topic(
                each["metadata"]["name"],
                each["spec"]["partitions"],
                timedelta(milliseconds=int(each["spec"]["config"]["retention.ms"])),
            )
            for each in of_kind(build, "KafkaTopic")
        ],
    )
    wanted = [
        (user["metadata"]["name"], acl["resource"], operation)
        for user in of_kind(build, "KafkaUser")
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    ]
    if wanted:
        await _allow(operator, wanted)


async def _allow(operator: str, wanted: list[tuple[str, Document, str]]) -> None:
    client: Any = AIOKafkaClient(bootstrap_servers=operator)
    try:
        await client.bootstrap()
        for user, resource, operation in wanted:
            asked = CreateAclsRequest(
                KINDS[resource["type"]], resource["name"], PATTERNS[resource["patternType"]],
                f"User:{user}", "*", OPERATIONS[operation], ALLOW,
            )  # fmt: skip
            answer = await client.send(client.get_random_node(), asked)
            for code, message in answer.creation_responses:
                if code:
                    raise for_code(code)(f"{user} {operation} {resource}: {message}")
    finally:
        await client.close()


def signing_in(kafka: Kafka, user: str, authority: Path) -> dict[str, str]:
    """The variables by which a process signs in as `user`; none where nobody does."""
    if user not in kafka.passwords:
        return {}
    return {
        "QUIRE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "QUIRE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "QUIRE_KAFKA_USERNAME": user,
        "QUIRE_KAFKA_PASSWORD": kafka.passwords[user],
        "QUIRE_KAFKA_CA_FILE": str(authority),
    }
