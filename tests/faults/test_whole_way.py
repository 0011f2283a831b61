"""Relay, sweeper and real workers together while something dies (PROTOCOL 2, 8, 9)."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from domain.catalog import TOPICS
from domain.inventory.messages import ReceiveStock
from stack.kafka import answers
from store.connect import connect
from tests.faults.world import PARTITIONS, World, message, orders
from tests.integration.relay_world import until
from tests.integration.servers import Running

ALL = ("worker order", "worker inventory", "worker payment", "worker notification")
CONFIRMED = "quire.order.confirmed.v1"


async def _stocked(world: World, quantity: int) -> None:
    await world.send([message(ReceiveStock("mug", quantity), "mug/in")])


async def _exactly(world: World, count: int, *, timers: bool = False) -> None:
    """So many orders were confirmed, each in the usual number of facts, paid once. `timers` that
    came to nothing are fine."""
    for kind in ("order.placed", "inventory.reserved", "payment.authorized", "order.confirmed"):
        found = await world.count("select count(*) from event where type = %s", f"quire.{kind}.v1")
        assert (kind, found) == (kind, count)
    fine = ["applied", "noop"] if timers else ["applied"]
    refused = await world.count("select count(*) from outcome where result <> all(%s)", fine)
    assert refused == 0
    world.check(ledger=True)


async def test_the_relay_is_killed_again_and_again(world: World):
    """17: kill -9 of the relay, and its lock taken away with a second ready."""
    sent = orders(400)
    await _stocked(world, 400)
    await world.run(*ALL)
    await world.send(sent)
    for number in range(4):
        [relay] = await world.run("relay")
        await until(lambda number=number: _confirmed(world, 40 * number))
        await relay.kill()
    await world.run("relay", "relay")
    async with await connect(world.admin_dsn, name="admin") as admin:
        for number in range(3):
            await until(lambda number=number: _confirmed(world, 200 + 40 * number))
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'quire relay' and datname = current_database()"
            )
    await world.reached(CONFIRMED, 400)
    await _exactly(world, 400)


async def _confirmed(world: World, count: int) -> bool:
    return await world.count("select count(*) from event where type = %s", CONFIRMED) >= count


async def test_unread_commands_are_lost(world: World):
    """5, 19: the first of each partition is deleted unread. Those behind it name it: they are left
    without a row, all is sent again, and each is applied once."""
    sent = orders(200)
    await world.send([message(ReceiveStock("mug", 200), "mug/in"), *sent])
    _, inventory = await world.run("worker order", "worker inventory")
    await world.settled(sent)
    assert await inventory.end() == 0
    [relay] = await world.run("relay")
    await world.relayed()
    deleted = await _delete_first(world, TOPICS["inventory"])
    assert deleted == PARTITIONS

    await world.run("worker inventory", "worker payment", "worker notification")
    await world.reached(CONFIRMED, 200)
    assert "were lost" in relay.log
    await _exactly(world, 200)


async def _delete_first(world: World, topic: str) -> int:
    """Cut each partition behind the first relayed command."""
    firsts: dict[int, int] = {}
    for read in await world.records("inventory"):
        if read.message.source == "quire/relay":
            firsts.setdefault(read.place[1], read.offset)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    try:
        await admin.delete_records(
            {
                TopicPartition(topic, number): RecordsToDelete(before_offset=offset + 1)
                for number, offset in firsts.items()
            }
        )
    finally:
        await admin.close()
    return len(firsts)


async def test_the_sweeper_dies_in_its_sweep(world: World):
    """19: a loss, and the relay with its sweeper killed whenever it goes back: it converges."""
    sent = orders(200)
    await world.send([message(ReceiveStock("mug", 200), "mug/in"), *sent])
    _, inventory = await world.run("worker order", "worker inventory")
    await world.settled(sent)
    assert await inventory.end() == 0
    [relay] = await world.run("relay")
    await world.relayed()
    await _delete_first(world, TOPICS["inventory"])
    await world.run("worker inventory", "worker payment", "worker notification")
    for _ in range(2):
        await until(lambda relay=relay: _went_back(relay.log))
        await relay.kill()
        if await _confirmed(world, 200):
            break
        [relay] = await world.run("relay")
        if await _confirmed_soon(world, 200):
            break
    else:
        await world.run("relay")
    await world.reached(CONFIRMED, 200)
    await _exactly(world, 200)


async def _went_back(text: str) -> bool:
    return "were lost" in text


async def _confirmed_soon(world: World, count: int) -> bool:
    try:
        await until(lambda: _confirmed(world, count), 8)
    except TimeoutError:
        return False
    return True


LATE = (
    "select count(*) from event asked join event done using (stream) where done.type = %s and"
    " asked.type = 'quire.order.payment_requested.v1'"
    " and done.recorded_at > asked.recorded_at + interval '6 s'"
)


async def test_kafka_stands_still_with_chunks_queued(
    world: World, kafka_server: tuple[Running, str]
):
    """18, 22: the broker is frozen for longer than a send may take and than an unpaid order lives,
    then killed: nothing is lost, and nothing expires that was paid before."""
    sent = orders(1_000)
    await _stocked(world, 1_000)
    await world.run(*ALL, "relay", "timers", batch_size=20, reservation_minutes=0.1)
    await world.send(sent[:700])
    await until(lambda: _confirmed(world, 20))
    broker = kafka_server[0]
    broker.signal("kafka", "SIGSTOP")
    try:
        await asyncio.sleep(13)  # longer than the relay's time-out of 10 s
        assert not await _confirmed(world, 700)
    finally:
        broker.signal("kafka", "SIGCONT")
    await until(lambda: _confirmed(world, 400), 60)
    await world.send(sent[700:])
    broker.kill("kafka")
    await until(lambda: answers(world.kafka), 60)
    await world.reached(CONFIRMED, 1_000)
    assert await world.count(LATE, CONFIRMED) > 0, "no order was confirmed after its deadline"
    expired = "select count(*) from event where type = 'quire.order.expired.v1'"
    assert await world.count(expired) == 0
    await _exactly(world, 1_000, timers=True)
