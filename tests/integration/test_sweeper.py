"""The sweeper on real Kafka and Postgres: a loss is sent again, a lag is none (PROTOCOL 9)."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from bus.topics import partition_counts
from tests.integration.relay_world import World, until

Topics = Callable[[str, int], Awaitable[str]]
N = 0.5


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, topics: Topics) -> AsyncGenerator[World]:
    made = await World.make(postgres_dsn, kafka, topics, sweep_after=N, partitions=2)
    async with made.conn:
        yield made
        # Nothing of this test's topics may look lost to the next test.
        async with made.running():
            head = await made.orders(0)
            await made.relayed(head)
            await until(lambda: _worked_off(made, head))


async def _worked_off(world: World, head: int) -> bool:
    await world.work()
    return await world.position("sweeper") >= head


async def settled(world: World) -> bool:
    """Whether every command that the log causes has its outcome."""
    _, commands = await world.expected()
    cursor = await world.conn.execute(
        "select count(*) from outcome where command_id = any(%s)", ([one.id for one in commands],)
    )
    row = await cursor.fetchone()
    return row is not None and row[0] == len(commands)


async def worked_and_settled(world: World) -> bool:
    await world.work()
    return await settled(world)


async def test_the_done_point_follows_the_outcomes(world: World):
    async with world.running():
        head = await world.orders(3)
        await world.relayed(head)
        await asyncio.sleep(3 * N)
        assert world.begin <= await world.position("sweeper") < head
        await world.work()
        await world.done(head)
    _, commands = await world.expected()
    assert len(await world.commands()) == len(commands)  # nothing was sent again


async def test_a_command_that_got_lost_is_sent_again(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
        _, commands = await world.expected()
        await world.work(skip=[commands[7].id])
        await until(lambda: worked_and_settled(world))
        await world.done(head)
    again = [read.message for read in await world.commands() if read.message.id == commands[7].id]
    assert len(again) > 1
    assert "were lost" in caplog.text


async def test_what_follows_a_lost_command_is_left_and_then_done_in_order(world: World):
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
        _, commands = await world.expected()
        left = await world.work(skip=[commands[0].id])
        assert left, "its followers in the partition name it"
        await until(lambda: worked_and_settled(world))
        await world.done(head)


async def test_after_a_set_back_the_first_of_each_partition_names_none(world: World):
    async with world.running():
        await world.relayed(await world.orders(4))
        _, commands = await world.expected()
        await world.work(skip=[commands[0].id])
        await until(lambda: worked_and_settled(world))
    records = await world.commands()
    for place in {read.place for read in records}:
        here = [read.message for read in records if read.place == place]
        ids = [message.id for message in here]
        repeats = [number for number, id in enumerate(ids) if id in ids[:number]]
        assert repeats, "all was sent again"
        assert here[repeats[0]].prev is None
        before = zip(here[1:], ids, strict=False)
        assert all(message.prev in (None, id) for message, id in before)


async def test_deleted_unread_records_are_sent_again(world: World):
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
        topic = world.routes.commands["inventory"]
        await _delete_all_records(world, topic)
        await until(lambda: worked_and_settled(world))
        await world.done(head)


async def test_a_topic_made_anew_is_filled_again(world: World):
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
    topic = world.routes.commands["order"]
    await _make_anew(world, topic)
    async with world.running():
        await until(lambda: worked_and_settled(world))
        await world.done(head)


async def test_a_lag_is_no_loss(world: World):
    """As many N as ten minutes are of the N that is usual."""
    shorter = {"sweep_after_seconds": 0.1}
    world.settings = world.settings.model_copy(update=shorter)
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
        for context in world.routes.commands:
            if context != "payment":
                await world.work(only=context)
        before = len(await world.commands())
        await asyncio.sleep(60 * 0.1)
        assert len(await world.commands()) == before
        assert await world.position() == head
        await world.work(only="payment")
        await world.done(head)
    assert len(await world.commands()) == before


async def test_a_lag_is_no_loss_to_a_relay_that_has_just_started(world: World):
    async with world.running():
        head = await world.orders(4)
        await world.relayed(head)
    before = len(await world.commands())
    async with world.running():
        await asyncio.sleep(6 * N)
        assert await world.position("sweeper") < head
        await world.work()
        await world.done(head)
    assert len(await world.commands()) == before


async def test_a_loss_beside_a_lag_is_sent_again(world: World):
    async with world.running():
        await world.relayed(await world.orders(4))
        _, commands = await world.expected()
        lost = next(one for one in reversed(commands) if world.routes.of(one).endswith("payment"))
        await world.work(only="payment", skip=[lost.id])  # the other contexts' workers stand still
        await until(lambda: _sent_twice(world, lost.id))


async def _sent_twice(world: World, lost: UUID) -> bool:
    return [read.message.id for read in await world.commands()].count(lost) > 1


async def test_alarms_when_nothing_gets_done(world: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.ERROR)
    async with world.running():
        await world.relayed(await world.orders(1))
        await until(lambda: _alarmed(world))
        assert "is its worker running?" in caplog.text


async def _alarmed(world: World) -> bool:
    cursor = await world.conn.execute(
        "select state ->> 'command' from checkpoint where name = 'sweeper'"
    )
    row = await cursor.fetchone()
    return row is not None and row[0] is not None


async def _delete_all_records(world: World, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    try:
        count = (await partition_counts(world.kafka, [topic]))[topic]
        await admin.delete_records(
            {TopicPartition(topic, n): RecordsToDelete(before_offset=-1) for n in range(count)}
        )
    finally:
        await admin.close()


async def _make_anew(world: World, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    try:
        count = (await partition_counts(world.kafka, [topic]))[topic]
        await admin.delete_topics([topic])
        await until(lambda: _is_gone(world, topic))
        await until(lambda: _is_made(admin, topic, count))
    finally:
        await admin.close()


async def _is_gone(world: World, topic: str) -> bool:
    return (await partition_counts(world.kafka, [topic]))[topic] == 0


async def _is_made(admin: AIOKafkaAdminClient, topic: str, count: int) -> bool:
    response: Any = await admin.create_topics([NewTopic(topic, count, 1)])
    return all(code == 0 for _, code, *_ in response.topic_errors)
