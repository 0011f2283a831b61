"""A worker that begins while a server is away waits for it, and one that cannot go on ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from bench.faults.proxy import LOOPBACK, Fault, Proxy
from stack.ports import free_ports
from streams.faustapp import EXIT_BROKEN
from tests.faults import broken_worker
from tests.faults.process import Process
from tests.faults.world import World, orders
from tests.integration.relay_world import until


@asynccontextmanager
async def behind(
    address: str, fault: Fault
) -> AsyncGenerator[tuple[str, Proxy, asyncio.Task[None]]]:
    """The address of a proxy that misbehaves until its task is cancelled."""
    port = urlsplit(address if "//" in address else f"//{address}").port or 0
    [listens] = free_ports(1)
    proxy = Proxy(listens, port)
    await proxy.start()
    misbehaving = asyncio.create_task(proxy.misbehave(fault, 60))
    try:
        yield address.replace(f":{port}", f":{listens}"), proxy, misbehaving
    finally:
        misbehaving.cancel()
        await asyncio.gather(misbehaving, return_exceptions=True)
        await proxy.stop()


async def says(process: Process, text: str) -> None:
    async def said() -> bool:
        return text in process.log

    await until(said, 30)


async def test_a_worker_waits_for_a_kafka_that_is_away(world: World):
    async with behind(world.kafka, "refuse") as (kafka, _, away):
        worker = await world.start("worker", "order", kafka=kafka)
        await says(worker, "waits for Kafka")
        away.cancel()
        await worker.ready()
        assert await worker.end() == 0


async def test_a_worker_that_waits_for_kafka_ends_when_it_is_told_to(world: World):
    [nobody] = free_ports(1)
    worker = await world.start("worker", "order", kafka=f"{LOOPBACK}:{nobody}")
    await says(worker, "waits for Kafka")
    assert await worker.end() == 0


async def test_a_worker_that_waits_for_its_fence_ends_when_it_is_told_to(world: World):
    async with behind(world.dsn, "hold") as (dsn, proxy, _):
        worker = await world.start("worker", "order", dsn=dsn)

        async def asks_where_to_begin() -> bool:
            return proxy.accepted > 0

        await until(asks_where_to_begin, 30)
        assert await worker.end() == 0


async def test_a_worker_that_breaks_ends_and_does_not_stand_still(world: World):
    worker = await world.start("worker", "order", main=broken_worker.main)
    await worker.ready()
    await world.send(orders(1))
    assert await worker.ended(30) == EXIT_BROKEN
    assert "a bug of ours" in worker.log
