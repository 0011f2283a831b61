"""The relay on real Kafka and Postgres (PROTOCOL 8, 10)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from bus.batches import Place
from bus.partition import partition_of
from bus.topics import add_partitions
from domain.message import Money
from domain.order import messages as order
from store.connect import connect
from streams.lifecycle import NEEDS_A_PERSON, CannotGoOn
from streams.relay import relay
from tests.integration.facts import life
from tests.integration.relay_world import Read, World, record_as, until

Topics = Callable[[str, int], Awaitable[str]]


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, topics: Topics) -> AsyncGenerator[World]:
    made = await World.make(postgres_dsn, kafka, topics)
    async with made.conn:
        yield made


def by_place(records: list[Read]) -> dict[Place, list[Read]]:
    found: dict[Place, list[Read]] = defaultdict(list)
    for read in records:
        found[read.place].append(read)
    return found


def first_times(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


async def test_publishes_each_fact_and_each_command_once_in_log_order(world: World):
    head = await world.orders(20)
    async with world.running():
        await world.relayed(head)
    news, commands = await world.expected()
    facts = await world.read(world.routes.facts)
    sent = await world.commands()
    assert len(facts) == len(news) > 400
    assert len(sent) == len(commands) > 200
    assert {read.message for read in facts} == set(news)
    for records in by_place(facts).values():
        positions = [read.message.position or 0 for read in records]
        assert positions == sorted(positions)
    order_of = {command.id: number for number, command in enumerate(commands)}
    for (topic, number), records in by_place(sent).items():
        places = [order_of[read.message.id] for read in records]
        assert places == sorted(places)
        for read in records:
            assert partition_of(read.key, 3) == number
            assert read.key.decode() == read.message.key
            assert world.routes.of(read.message) == topic


async def test_each_command_names_the_one_before_it_in_its_partition(world: World):
    head = await world.orders(5)
    async with world.running():
        await world.relayed(head)
    head = await world.orders(5)
    async with world.running():  # another life goes on with the chain
        await world.relayed(head)
    for records in by_place(await world.commands()).values():
        names = [read.message.prev for read in records]
        ids = [read.message.id for read in records]
        assert names[1:] == ids[:-1]
    for read in await world.read(world.routes.facts):
        assert read.message.prev is None


async def test_all_facts_of_an_order_stand_in_one_partition(world: World):
    head = await world.orders(3)
    async with world.running():
        await world.relayed(head)
    places: dict[str, set[Place]] = defaultdict(set)
    for read in await world.read(world.routes.facts):
        places[read.message.key].add(read.place)
        if not read.message.subject.startswith("stock-"):
            assert read.message.key in read.message.subject
    assert len(places) == 4  # three orders and a sku
    assert all(len(where) == 1 for where in places.values())


async def test_imported_history_is_stepped_over(world: World):
    order_id = str(uuid4())
    placed = next(event for event in life(order_id) if isinstance(event, order.OrderPlaced))
    head = await record_as(world.conn, placed, imported=True)
    async with world.running():
        await world.relayed(head)
    assert await world.read(world.routes.facts) == []
    assert await world.commands() == []


async def test_killed_in_the_middle_it_repeats_but_skips_nothing(world: World):
    head = 0
    for _ in range(3):
        start, head = await world.position(), await world.orders(100)
        process = await world.process()
        await until(lambda start=start: _beyond(world, start))
        process.kill()
        await process.communicate()
    async with world.running():
        await world.relayed(head)
    news, commands = await world.expected()
    facts = [read.message.id for read in await world.read(world.routes.facts)]
    assert set(facts) == {message.id for message in news}
    order_of = {command.id: number for number, command in enumerate(commands)}
    seen: set[UUID] = set()
    for records in by_place(await world.commands()).values():
        ids = first_times([read.message.id for read in records])
        assert [order_of[id] for id in ids] == sorted(order_of[id] for id in ids)
        seen |= set(ids)
    assert seen == set(order_of)


async def _beyond(world: World, position: int) -> bool:
    return await world.position() > position


async def test_sigterm_ends_it_cleanly(world: World):
    process = await world.process()
    await world.relayed(await world.orders(1))
    process.terminate()
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode == 0
    _, commands = await world.expected()
    assert len(await world.commands()) == len(commands)


async def test_of_two_relays_one_waits(world: World, postgres_dsn: str, admin_dsn: str):
    first, second = asyncio.Event(), asyncio.Event()
    one = asyncio.create_task(relay(world.settings, first, world.routes))
    await until(lambda: _lock_held(world))
    other = asyncio.create_task(relay(world.settings, second, world.routes))
    await world.relayed(await world.orders(2))
    _, commands = await world.expected()
    assert len(await world.commands()) == len(commands)
    # Its lock is taken away; the two go on, one at a time, and no fact is skipped.
    async with await connect(admin_dsn, name="admin") as admin:
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'quire relay' and datname = current_database()"
        )
    await world.relayed(await world.orders(2))
    first.set()
    second.set()
    await asyncio.gather(one, other)
    _, commands = await world.expected()
    assert {read.message.id for read in await world.commands()} == {one.id for one in commands}


async def _lock_held(world: World) -> bool:
    cursor = await world.conn.execute(
        "select from pg_locks where locktype = 'advisory' and objid = 7466 and granted"
    )
    return cursor.rowcount == 1


async def test_a_new_kind_sends_nothing_for_facts_relayed_before(world: World):
    async with world.running():
        await world.relayed(await world.orders(1))
    first = len(await world.commands())
    kind = "quire.inventory.reserve"
    await world.conn.execute("delete from command_kind where kind = %s", (kind,))
    async with world.running():  # as if deployed now
        await until(lambda: _registered(world, kind))
    await world.conn.execute(  # and all is sent again, as a sweep would
        "update checkpoint set position = %s, state = null where name = 'relay'", (world.begin,)
    )
    async with world.running():
        await world.relayed(await world.orders(1))
    sent = [read.message for read in await world.commands()][:]
    reserves = [message for message in sent if message.type == kind]
    assert len(reserves) == 2  # the first order's from its first time, and the second order's
    assert len({message.id for message in reserves}) == 2
    assert len(sent) > 2 * first


async def test_a_new_kind_of_mail_sends_nothing_for_facts_relayed_before(world: World):
    def refunded(reference: str) -> order.OrderRefunded:
        return order.OrderRefunded(str(uuid4()), reference, Money(500, "GBP"))

    await record_as(world.conn, refunded("return-1"))
    older = order.OrderCancelled(str(uuid4()))
    head = await record_as(world.conn, older)
    async with world.running():
        await world.relayed(head)
    kind = "quire.notification.notify.order_refunded"
    await world.conn.execute(  # as if deployed now, and all were sent again
        "update command_kind set since_position = %s where kind = %s", (head, kind)
    )
    assert await _registered(world, kind)
    await world.conn.execute(
        "update checkpoint set position = %s, state = null where name = 'relay'", (world.begin,)
    )
    before = len(await world.commands())
    async with world.running():
        await record_as(world.conn, refunded("return-2"), imported=True)
        await world.relayed(await record_as(world.conn, refunded("return-3")))
    names = [str(read.value) for read in (await world.commands())]
    assert before == 2
    assert sum("order_cancelled" in name for name in names) == 2  # counts from the beginning
    assert [n for n in ("return-1", "return-3") for name in names if n in name] == [
        "return-1",  # from its first time
        "return-3",
    ]
    assert not any("return-2" in name for name in names)


async def _registered(world: World, kind: str) -> bool:
    return kind in await world.kinds()


async def test_more_partitions_under_way_stop_it(world: World):
    stop = asyncio.Event()
    running = asyncio.create_task(relay(world.settings, stop, world.routes))
    await world.relayed(await world.orders(1))
    await add_partitions(world.kafka, world.routes.commands["order"], 4)
    with pytest.raises(CannotGoOn, match="4 partitions and should have 3"):
        async with asyncio.timeout(30):
            await running
    with pytest.raises(CannotGoOn, match="4 partitions and should have 3"):
        async with asyncio.timeout(30):
            await relay(world.settings, stop, world.routes)


async def test_an_unknown_type_of_fact_stops_it(world: World):
    """The last of the module: nothing gets past that fact any more."""
    placed = next(event for event in life(str(uuid4())) if isinstance(event, order.OrderPlaced))
    head = await record_as(world.conn, placed, type_="quire.order.teleported.v1")
    process = await world.process()
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode == NEEDS_A_PERSON
    assert b"quire.order.teleported.v1" in errors
    assert await world.position() < head
