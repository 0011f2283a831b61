"""`quire topics` on real Kafka and Postgres (PROTOCOL 14)."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import TopicPartition

from bus.clients import LARGEST_RECORD
from bus.topics import partition_counts
from cli.output import Exit
from cli.partitioning import OURS
from domain.catalog import TOPICS
from stack.topics import LARGEST_PARTNER_RECORD, Topic, ensure, partners
from streams.reactions import ROUTES
from tests.integration.fresh import delete, make_anew
from tests.integration.relay_world import World, until

ORDERS = TOPICS["order"]


@pytest.fixture(scope="module")
def ours(kafka: str) -> Iterator[None]:
    """The topics by their real names, whatever other modules made of them."""
    asyncio.run(make_anew(kafka, OURS, 2))
    yield
    asyncio.run(delete(kafka, OURS))


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, ours: None) -> AsyncGenerator[World]:
    """One test's relay and orders between them."""

    async def make(name: str, partitions: int) -> str:
        return ROUTES.facts if name == "events" else ROUTES.commands[name]

    made = await World.make(postgres_dsn, kafka, make, sweep_after=0.5)
    async with made.conn:
        yield made


class Topics:
    """The command line, as a person uses it."""

    def __init__(self, world: World, tmp_path: Path) -> None:
        self._environment = {
            **os.environ,
            "QUIRE_POSTGRES_DSN": world.settings.postgres_dsn.get_secret_value(),
            "QUIRE_KAFKA": world.kafka,
            "QUIRE_STATE_DIR": str(tmp_path),
        }

    async def __call__(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli.main", "topics", *words, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def quire_topics(world: World, tmp_path: Path) -> Topics:
    return Topics(world, tmp_path)


async def drained(world: World, orders: int = 2) -> None:
    async with world.running():
        head = await world.orders(orders)
        await world.relayed(head)
        await world.work()
        await world.done(head)


async def test_lists_topics_with_their_lag(world: World, quire_topics: Topics):
    async with world.running():
        await world.relayed(await world.orders(2))
    _, commands = await world.expected()
    code, listed = await quire_topics("list")
    assert code == Exit.FINE
    by_name = {one["topic"]: one for one in listed}
    assert set(by_name) == set(OURS)
    assert all(one["partitions"] == one["planned"] == 2 for one in listed)
    unread = sum(world.routes.of(command) == ORDERS for command in commands)
    assert by_name[ORDERS]["lag"] == unread
    assert by_name[ROUTES.facts]["lag"] is None
    await world.work()
    _, listed = await quire_topics("list")
    assert {one["lag"] for one in listed} == {0, None}


async def test_will_not_grow_what_is_in_use(world: World, quire_topics: Topics):
    async with world.running():
        await world.relayed(await world.orders(1))
        code, [answer] = await quire_topics("grow", ORDERS, "3")
    assert (code, answer["error"]["code"]) == (Exit.REFUSED, "in_use")
    code, [answer] = await quire_topics("grow", ORDERS, "3")
    assert (code, answer["error"]["code"]) == (Exit.REFUSED, "not_drained")
    await drained(world)
    consumer = AIOKafkaConsumer(ORDERS, bootstrap_servers=world.kafka, group_id="quire-order")
    await consumer.start()
    try:
        code, [answer] = await quire_topics("grow", ORDERS, "3")
    finally:
        await consumer.stop()
    assert "quire-order" in answer["error"]["message"]
    code, [answer] = await quire_topics("grow", ORDERS, "2")
    assert (code, answer["error"]["code"]) == (Exit.REFUSED, "not_more")
    code, [answer] = await quire_topics("grow", "partner.orders", "9")
    assert (code, answer["error"]["code"]) == (Exit.REFUSED, "unknown_topic")
    assert (await partition_counts(world.kafka, [ORDERS]))[ORDERS] == 2


async def test_will_not_grow_before_the_sweeper_followed(world: World, quire_topics: Topics):
    await drained(world)
    await world.conn.execute("update checkpoint set position = position - 1 where name = 'sweeper'")
    code, [answer] = await quire_topics("grow", ORDERS, "3")
    assert (code, answer["error"]["code"]) == (Exit.REFUSED, "not_done")
    await world.conn.execute("update checkpoint set position = position + 1 where name = 'sweeper'")


async def test_grows_what_is_drained_and_goes_on(world: World, quire_topics: Topics):
    topic = TOPICS["payment"]
    await drained(world)
    code, [answer] = await quire_topics("grow", topic, "5")
    assert (code, answer) == (Exit.FINE, {"topic": topic, "before": 2, "partitions": 5})
    await until(lambda: _has(world, topic, 5))
    await drained(world, orders=20)  # so many keys do not all fall into the two old partitions
    used = {read.place[1] for read in await world.read(topic)}
    assert max(used) > 1


async def _has(world: World, topic: str, count: int) -> bool:
    return (await partition_counts(world.kafka, [topic]))[topic] == count


async def test_repair_mends_a_kafka_that_was_lost(world: World, quire_topics: Topics):
    async with world.running():
        head = await world.orders(2)
        await world.relayed(head)
        await world.work(only="order")
    inventory, gone = TOPICS["inventory"], TOPICS["shipping"]
    await _delete(world, gone)
    await ensure(world.kafka, [Topic(gone, 1)])
    await _cut(world, inventory)
    code, [plan] = await quire_topics("repair", "--dry-run")
    assert code == Exit.FINE
    assert plan["partitions"][gone] == 1
    before = await _fences(world)
    assert before == await _fences(world), "a dry run changes nothing"
    code, [plan] = await quire_topics("repair", "--yes")
    assert code == Exit.FINE
    assert await world.position() == plan["relay_to"] < head
    fences = await _fences(world)
    assert all(number == 0 for topic, number in fences if topic == gone)
    async with world.running():
        await world.relayed(head)
        await until(lambda: _settled(world, head))


async def _settled(world: World, head: int) -> bool:
    await world.work()
    return await world.position("sweeper") >= head


async def _fences(world: World) -> dict[tuple[str, int], int]:
    cursor = await world.conn.execute("select topic, partition, next_offset from fence")
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def _delete(world: World, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        await until(lambda: _has(world, topic, 0))
    finally:
        await admin.close()


async def _cut(world: World, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topic, n): RecordsToDelete(before_offset=-1) for n in range(2)}
        )
    finally:
        await admin.close()


async def test_a_partner_writes_nothing_that_is_too_large_for_a_dead_letter(kafka: str):
    """However well it can be packed."""
    name = f"partner.{uuid4().hex}"
    await ensure(kafka, [partners(name, 1)])
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=kafka, compression_type="gzip", max_request_size=LARGEST_RECORD
    )
    await producer.start()
    try:
        await producer.send_and_wait(name, b" " * (LARGEST_PARTNER_RECORD - 1_000))
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(name, b" " * LARGEST_PARTNER_RECORD)
    finally:
        await producer.stop()
        await delete(kafka, [name])
