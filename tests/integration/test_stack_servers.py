"""The real servers: made, reached, killed and back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
from aiokafka import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bus import clients
from stack import kafka as kafka_part
from stack import postgres as postgres_part
from stack.secrets import load_or_make
from stack.topics import TOPICS, Topic, ensure
from tests.integration.servers import Running, running_kafka, running_postgres


async def partitions(bootstrap: str, name: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        [topic] = await admin.describe_topics([name])
        return len(topic["partitions"])
    finally:
        await admin.close()


async def test_topics_are_made_once(kafka: str):
    assert set(await ensure(kafka)) <= {topic.name for topic in TOPICS}
    assert await ensure(kafka) == []
    assert await partitions(kafka, "quire.order.commands") == 6
    assert await partitions(kafka, "quire.dead-letters") == 1


async def test_a_topic_that_is_there_keeps_its_partitions(
    kafka: str, topics: Callable[[str, int], Awaitable[str]]
):
    name = await topics("orders", 2)
    assert await ensure(kafka, [Topic(name, 6)]) == []
    assert await partitions(kafka, name) == 2


async def test_kafka_makes_no_topic_by_itself(kafka: str):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        [topic] = await admin.describe_topics(["nobody.made.this"])
        assert topic["error_code"] == 3
        answer: Any = await admin.create_topics([NewTopic("x" * 300, 1, 1)])
        assert answer.topic_errors[0][1] != 0
    finally:
        await admin.close()


async def test_postgres_comes_back_after_kill_9():
    # One of its own: the others' has so many databases by now that its recovery takes minutes.
    with running_postgres() as (running, port, layout):
        dsn = load_or_make(layout.secrets).admin_dsn(port)
        conn = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
        async with conn:
            row = await (await conn.execute("show fsync")).fetchone()
            assert row == ("on",)
            running.kill("postgres")
            async with asyncio.timeout(30):
                while not conn.closed:
                    try:
                        await conn.execute("select 1")
                    except psycopg.OperationalError:
                        break
        async with asyncio.timeout(30):
            while not await postgres_part.answers(dsn):
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[tuple[Running, str]]:
    with running_kafka() as server:
        yield server


async def test_who_joins_a_young_kafka_finds_its_group_coordinated(
    own_kafka: tuple[Running, str], caplog: pytest.LogCaptureFixture
):
    _, bootstrap = own_kafka
    await ensure(bootstrap)
    subscriber = clients.subscriber(bootstrap, group="quire-order", session_seconds=6)
    subscriber.subscribe(["quire.order.commands"], listener=Quiet())
    await subscriber.start()
    await subscriber.stop()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


class Quiet(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        pass

    async def on_partitions_assigned(self, assigned: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        pass


async def test_kafka_comes_back_after_kill_9(own_kafka: tuple[Running, str]):
    running, bootstrap = own_kafka
    [before] = [standing.pid for standing in running.supervisor.standings]
    running.kill("kafka")
    async with asyncio.timeout(60):
        while running.supervisor.standings[0].pid in (before, None):
            await asyncio.sleep(0.05)
        while not await kafka_part.answers(bootstrap):
            await asyncio.sleep(0.05)
