"""Stock rows that several workers share (PROTOCOL 5, 7)."""

import random

from bus.message import Message
from domain.inventory.messages import ReceiveStock, ReleaseReservation, ReserveStock
from domain.message import SkuQuantity
from tests.faults.world import World, message
from tests.integration.relay_world import until

HOT = [f"hot-{n}" for n in range(20)]


async def test_two_workers_on_twenty_hot_skus(world: World):
    """12: no deadlock, and reserved is the sum of the active reservations."""
    chance = random.Random(7)
    stock = [message(ReceiveStock(sku, 150), f"{sku}/in") for sku in HOT]
    workers = await world.run("worker inventory", "worker inventory", batch_size=40)
    await until(lambda: _both_own(world))
    await world.send(stock)
    await world.settled(stock)

    wishes: list[Message] = []
    for n in range(1_500):
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
    assert all("40P01" not in worker.log for worker in workers)
    reserved = await world.count("select sum(reserved) from stock_level where sku = any(%s)", HOT)
    assert 0 < reserved <= 20 * 150
    world.check()


async def _both_own(world: World) -> bool:
    """A worker connects when it is assigned its first partition."""
    found = await world.count(
        "select count(*) from pg_stat_activity where application_name = 'quire-inventory'"
        " and datname = current_database()"
    )
    return found == 2
