"""The relay while Kafka or its database connection dies under it (PROTOCOL 8)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

import pytest

from bus.batches import Place
from store.connect import connect
from tests.integration.relay_world import World, until
from tests.integration.servers import Running

Topics = Callable[[str, int], Awaitable[str]]


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, topics: Topics) -> AsyncGenerator[World]:
    made = await World.make(postgres_dsn, kafka, topics)
    async with made.conn:
        yield made


async def nothing_is_skipped(world: World) -> None:
    """Repeats aside, each partition holds its commands in log order, and none is missing."""
    _, commands = await world.expected()
    order_of = {command.id: number for number, command in enumerate(commands)}
    first_times: dict[Place, dict[UUID, None]] = defaultdict(dict)
    for read in await world.commands():
        first_times[read.place].setdefault(read.message.id)
    for ids in first_times.values():
        numbers = [order_of[id] for id in ids]
        assert numbers == sorted(numbers)
    assert set().union(*first_times.values()) == set(order_of)


async def test_kafka_is_killed_with_chunks_under_way(
    world: World, kafka_server: tuple[Running, str]
):
    head = await world.orders(120)
    async with world.running():
        await until(lambda: _moved(world))
        kafka_server[0].kill("kafka")
        head = await world.orders(60)
        async with asyncio.timeout(60):
            while await world.position() < head:
                await asyncio.sleep(0.05)
    await nothing_is_skipped(world)


async def test_its_connection_is_cut_again_and_again(world: World, admin_dsn: str):
    head = 0
    async with world.running(), await connect(admin_dsn, name="admin") as admin:
        for _ in range(4):
            start, head = await world.position(), await world.orders(30)
            await until(lambda start=start: _moved(world, start))
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'quire relay' and datname = current_database()"
            )
        await world.relayed(head)
    await nothing_is_skipped(world)


async def _moved(world: World, start: int | None = None) -> bool:
    return await world.position() > (world.begin if start is None else start)
