"""Stock rows that several workers share (PROTOCOL 5, 7)."""

import asyncio
import logging
import random

import pytest
from msgspec.structs import replace

from bus.message import Message
from domain.inventory.messages import ReceiveStock, ReleaseReservation, ReserveStock
from domain.message import SkuQuantity
from domain.order.messages import ShortagePolicy
from store.connect import connect
from streams.agents import declare
from streams.engine import Engine
from tests.faults.world import World, message, place
from tests.integration.hand import Topic
from tests.integration.relay_world import until

HOT = [f"hot-{n}" for n in range(20)]
BUYERS, COPIES, MORE = 500, 100, 60
# What 60 s of full batches are: 500 wishes each, at a thousand a second, make 120 of them.
A_BATCH, BATCHES = 30, 120
STOCK = 500  # fewer than are wanted, so that some run short


async def test_two_workers_on_twenty_hot_skus(world: World):
    """12: no deadlock, and reserved is the sum of the active reservations. Time matters only for
    how often the two meet: so many batches, each of which wants all of the hot rows."""
    chance = random.Random(7)
    stock = [message(ReceiveStock(sku, STOCK), f"{sku}/in") for sku in HOT]
    workers = await world.run("worker inventory", "worker inventory", batch_size=A_BATCH)
    await until(lambda: _both_own(world))
    await world.send(stock)
    await world.settled(stock)

    wishes: list[Message] = []
    for n in range(A_BATCH * BATCHES):
        skus = [*chance.sample(HOT, 4), *([f"new-{n}"] if n % 10 == 0 else [])]
        lines = tuple(SkuQuantity(sku, 1) for sku in skus)
        wishes.append(message(ReserveStock(f"o-{n}", lines), f"o-{n}/reserve"))
        if n % 5 == 0:
            released = ReleaseReservation(f"o-{n}", "cancel", lines, "1")
            wishes.append(message(released, f"o-{n}/release"))
    await world.send(wishes)
    results = await world.settled(wishes)
    assert set(results.values()) <= {"applied", "refused"}

    deadlocks = await world.count(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )
    assert deadlocks == 0
    assert all("deadlock" not in worker.log for worker in workers)
    reserved = await world.count("select sum(reserved) from stock_level where sku = any(%s)", HOT)
    assert 0 < reserved <= 20 * STOCK
    world.check()


async def test_a_flash_sale_sells_each_copy_once(world: World):
    """500 buyers at once for 100 copies, twice: one book is gone when it is gone, the other can be
    waited for. When 60 more come in, the first 60 who wait get them, and nobody else."""
    stock = [message(ReceiveStock(sku, COPIES), f"{sku}/in") for sku in ("gone", "awaited")]
    await world.run(
        "worker order", "worker inventory", "worker inventory", "worker payment", "relay"
    )
    await until(lambda: _both_own(world))
    await world.send(stock)
    await world.settled(stock)
    policies: dict[str, ShortagePolicy] = {"gone": "reject", "awaited": "backorder"}
    sale = [
        message(replace(place(f"{sku}-{n}", sku), shortage=policy), f"{sku}-{n}/place")
        for n in range(BUYERS)
        for sku, policy in policies.items()
    ]
    await world.send(sale)
    await world.reached("quire.order.confirmed.v1", 2 * COPIES)
    await world.reached("quire.order.rejected.v1", BUYERS - COPIES)
    await world.reached("quire.order.held.v1", BUYERS - COPIES)
    sold = await _orders(world, "quire.order.confirmed.v1")
    assert len([order for order in sold if order.startswith("gone-")]) == COPIES
    turned_away = await _orders(world, "quire.order.rejected.v1")
    assert len(turned_away) == BUYERS - COPIES
    assert not set(sold) & set(turned_away)
    queue = await _queue(world)
    assert len(queue) == BUYERS - COPIES
    assert not set(sold) & set(queue)

    more = message(ReceiveStock("awaited", MORE), "awaited/more")
    await world.send([more])
    await world.reached("quire.order.confirmed.v1", 2 * COPIES + MORE)
    await world.relayed()
    served = (await _orders(world, "quire.order.confirmed.v1"))[2 * COPIES :]
    assert set(served) == set(queue[:MORE])
    assert await _queue(world) == queue[MORE:]
    levels = await world.count("select sum(on_hand - reserved) from stock_level")
    assert levels == 0
    world.check()


async def _orders(world: World, type: str) -> list[str]:
    """In whose streams there is such a fact, the oldest first."""
    return [fact.stream.removeprefix("order-") for fact in await world.facts() if fact.type == type]


async def _queue(world: World) -> list[str]:
    """Who waits, the first first."""
    cursor = await world.conn.execute("select order_id from waiting order by place")
    return [row[0] for row in await cursor.fetchall()]


async def _both_own(world: World) -> bool:
    """A worker connects when it is assigned its first partition."""
    found = await world.count(
        "select count(*) from pg_stat_activity where application_name = 'quire-inventory'"
        " and datname = current_database()"
    )
    return found == 2


async def test_nobody_waits_in_a_circle(world: World, caplog: pytest.LogCaptureFixture):
    """12: two owners come upon a row that a third holds, each with the rows before it in hand."""
    caplog.set_level(logging.INFO)
    topic, settings = Topic(2), world.settings()
    owners = [Engine(declare("inventory", settings), settings) for _ in range(2)]
    for number, owner in enumerate(owners):
        await owner.own({number: None})
    await owners[0].handle([topic.command(ReceiveStock(sku, STOCK), f"{sku}/in") for sku in HOT])
    lines = tuple(SkuQuantity(sku, 1) for sku in HOT)
    async with await connect(world.admin_dsn, name="admin") as admin:
        for held in HOT:
            async with admin.transaction():
                await admin.execute("select from stock_level where sku = %s for update", (held,))
                wishes = [ReserveStock(f"{held}/{number}", lines) for number in range(2)]
                handling = asyncio.gather(
                    *(
                        owner.handle([topic.command(wishes[number], wishes[number].key, number)])
                        for number, owner in enumerate(owners)
                    )
                )
                await until(lambda: _both_wait(world))
            await handling
    assert "deadlock" not in caplog.text
    rows = await world.count("select count(*) from stock_level where reserved = %s", 2 * len(HOT))
    assert rows == len(HOT)
    for owner in owners:
        await owner.close()
    world.check()


async def _both_wait(world: World) -> bool:
    found = await world.count(
        "select count(*) from pg_stat_activity where application_name = 'quire-inventory'"
        " and wait_event_type = 'Lock' and datname = current_database()"
    )
    return found == 2
