"""A Kafka that takes nobody but whom it knows, over TLS, and lets each do only what is theirs."""

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from bus import topics
from bus.clients import Taken, reader, subscriber
from bus.publisher import KafkaPublisher, PublishFailed
from cli.keys import make
from cli.output import Exit
from cli.troubles import failure_of
from stack import kafka
from stack.lag import READERS, lags
from stack.layout import LOOPBACK
from stack.ports import free_ports
from stack.rights import allow, rights
from stack.topics import TOPICS, ensure
from streams.beginning import until_kafka_answers
from streams.consuming import require_topics
from streams.lifecycle import CannotGoOn
from tests.integration.certificates import certificates
from tests.integration.servers import running
from tests.integration.state_dirs import state_dir

ORDERS = "quire.order.commands"


class Secured(NamedTuple):
    """Where it answers over TLS, and the directory of its users."""

    bootstrap: str
    users: Path


class AsUser(Protocol):
    """Sign in as a user from now on, with the user's own password and authority or others."""

    def __call__(self, user: str, password: str = "", authority: Path | None = None) -> None: ...


class Nothing(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked: object) -> None: ...
    def on_partitions_assigned(self, assigned: object) -> None: ...


@pytest.fixture(scope="module")
def secured() -> Generator[Secured]:
    with state_dir() as layout:
        port, controller, safe = free_ports(3)
        made = {name: layout.root / name for name in ("app", "owner", "tls", "users")}
        words = [f"--{name}={made[name]}" for name in ("app", "owner", "tls")]
        make.main([*words, f"--kafka={made['users']}"], standalone_mode=False)
        listeners = f"PLAINTEXT://{LOOPBACK}:{port},INSIDE://{LOOPBACK}:{safe}"
        jaas = (made["users"] / "broker" / "jaas.conf").read_text()
        more = {
            "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": listeners,
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INSIDE:SASL_SSL"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:admin",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": made["tls"] / "kafka" / "kafka.pem",
            "sasl.enabled.mechanisms": "PLAIN",
            # Else it holds whom it refused for 100 ms, and their TLS ends after the test's loop.
            "connection.failed.authentication.delay.ms": 0,
            # What a container gets as a file of Java's.
            "listener.name.inside.plain.sasl.jaas.config": jaas.split("{")[1].split(";")[0].strip()
            + ";",
        }
        with running(kafka.prepare(layout.kafka, port, controller, print, more=more)):
            yield Secured(f"{LOOPBACK}:{safe}", made["users"])


@pytest.fixture
def as_user(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> AsUser:
    def sign_in(user: str, password: str = "", authority: Path | None = None) -> None:
        own = secured.users / user
        monkeypatch.setenv("QUIRE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
        monkeypatch.setenv("QUIRE_KAFKA_SASL_MECHANISM", "PLAIN")
        monkeypatch.setenv("QUIRE_KAFKA_USERNAME", user)
        monkeypatch.setenv("QUIRE_KAFKA_PASSWORD", password or (own / "password").read_text())
        monkeypatch.setenv("QUIRE_KAFKA_CA_FILE", str(authority or own / "ca.pem"))

    return sign_in


async def publish(bootstrap: str, topic: str) -> tuple[int, int]:
    publisher = KafkaPublisher(bootstrap, timeout_seconds=5)
    await publisher.start()
    try:
        return await publisher.publish_record(topic, b"key", b"value", [])
    finally:
        await publisher.stop()


async def take(bootstrap: str, topic: str, group: str) -> Taken:
    """The first record of a topic, as a member of a group."""
    member = subscriber(bootstrap, group=group, session_seconds=6)
    member.subscribe([topic], listener=Nothing())
    try:
        await member.start()
        return await member.getone()
    finally:
        await member.stop()


async def test_who_signs_in_works_as_ever(secured: Secured, as_user: AsUser):
    as_user("admin")
    assert await kafka.answers(secured.bootstrap)
    assert {topic.name for topic in TOPICS} == set(await ensure(secured.bootstrap))
    assert await publish(secured.bootstrap, "quire.seals") == (0, 0)
    asks = reader(secured.bootstrap)
    await asks.start()
    try:
        place = TopicPartition("quire.seals", 0)
        assert await asks.end_offsets([place]) == {place: 1}
    finally:
        await asks.stop()
    assert READERS.keys() <= (await lags("host=/nowhere", secured.bootstrap)).keys()


async def test_a_wrong_password_is_not_let_in(secured: Secured, as_user: AsUser):
    as_user("admin", "guessed")
    assert not await kafka.answers(secured.bootstrap)
    with pytest.raises(topics.KafkaRefuses, match="Invalid username or password"):
        await topics.partition_counts(secured.bootstrap, ["quire.seals"])
    with pytest.raises(PublishFailed):
        await publish(secured.bootstrap, "quire.seals")
    with pytest.raises(topics.KafkaRefuses) as told:
        await ensure(secured.bootstrap)
    failure = failure_of(told.value)
    assert failure is not None
    assert (failure.code, failure.exit_code) == ("login_refused", Exit.NOT_REACHABLE)
    assert "guessed" not in str(told.value)


async def test_who_is_not_let_in_ends_and_says_what_to_mend(secured: Secured, as_user: AsUser):
    """No waiting helps; a Kafka that is away is waited for, whatever the password."""
    as_user("relay", "guessed")
    words = "^login_refused: .*; mend QUIRE_KAFKA_USERNAME, QUIRE_KAFKA_PASSWORD"
    with pytest.raises(CannotGoOn, match=words):
        await until_kafka_answers(secured.bootstrap, [ORDERS], asyncio.Event())
    with pytest.raises(CannotGoOn, match=words):
        await require_topics(secured.bootstrap, [ORDERS])
    [nobody] = free_ports(1)
    stop = asyncio.Event()
    waiting = asyncio.create_task(until_kafka_answers(f"{LOOPBACK}:{nobody}", [ORDERS], stop))
    await asyncio.wait({waiting}, timeout=1)
    assert not waiting.done()
    stop.set()
    await waiting


async def test_a_broker_of_another_authority_is_not_trusted(
    secured: Secured, as_user: AsUser, tmp_path: Path
):
    as_user("admin", authority=certificates(tmp_path).authority)
    with pytest.raises(topics.KafkaUnavailable) as told:
        await topics.partition_counts(secured.bootstrap, ["quire.seals"])
    assert not isinstance(told.value, topics.KafkaRefuses), "it was not asked for the password"


async def test_each_process_may_do_what_is_its_own_and_nothing_else(
    secured: Secured, as_user: AsUser
):
    as_user("admin")
    await ensure(secured.bootstrap)
    as_user("relay")
    with pytest.raises(PublishFailed, match="Authorization"):
        await publish(secured.bootstrap, ORDERS)
    as_user("admin")
    assert await allow(secured.bootstrap) == len(rights())
    assert await allow(secured.bootstrap) == len(rights())
    as_user("relay")
    await publish(secured.bootstrap, ORDERS)
    await publish(secured.bootstrap, "quire.events")
    with pytest.raises(PublishFailed, match="Authorization"):
        await publish(secured.bootstrap, "quire.seals")
    as_user("worker-order")
    assert (await take(secured.bootstrap, ORDERS, "quire-order")).value == b"value"
    with pytest.raises(PublishFailed, match="Authorization"):
        await publish(secured.bootstrap, ORDERS)
    with pytest.raises(GroupAuthorizationFailedError):
        await take(secured.bootstrap, ORDERS, "quire-inventory")
    with pytest.raises(TopicAuthorizationFailedError):
        await take(secured.bootstrap, "quire.events", "quire-order")
