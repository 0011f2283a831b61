"""The wall as `quire up --with wall` runs it, its page open, while all that tells it is killed."""

import asyncio
import time
from datetime import timedelta

import httpx

from api.wall.thresholds import Threshold, event_of
from stack import processes
from stack.ports import free_ports
from stack.topics import Topic, ensure
from store.tasks import end
from streams.source import DEAD_LETTERS
from tests.faults.process import Process
from tests.faults.world import World
from tests.integration.facts import START, life, record
from tests.integration.receiver import receiving
from tests.integration.relay_world import until
from tests.integration.wall_world import Page, last_facts, minutes

ORDERS = 120
FACTS = 6
RATE = 200
MOST = 5
SPAN_SECONDS = 840  # the wall knows the last 15 minutes, and a slow machine places more


async def test_each_order_once_and_in_order_whatever_is_killed(world: World):
    await ensure(world.kafka, [Topic(DEAD_LETTERS, 1)])
    api, port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    async with receiving() as sink:
        words = {**processes.wall(port), processes.WALL: ("wall", "--sink", sink.url)}

        async def begun(name: str) -> Process:
            started = await world.start(
                *words.get(name, (name,)),
                api_port=api, wall_port=port, wall_api=f"http://127.0.0.1:{api}",
                wall_thresholds=f"orders={MOST}", instance=name,
            )  # fmt: skip
            await started.ready()
            return started

        names = ("api", "relay", "projector", *words)
        running = dict(zip(names, await asyncio.gather(*map(begun, names)), strict=True))

        async def killed(*names: str) -> None:
            for name in names:
                await running[name].kill()
            running.update(zip(names, await asyncio.gather(*map(begun, names)), strict=True))

        page = Page(url)
        reading = asyncio.create_task(page.read())

        async def watched(lives: int) -> None:
            async def by_so_many() -> bool:
                return len(page.lives) == lives

            await until(by_so_many)

        async def all_killed() -> None:
            await watched(1)
            await killed("wall")
            await killed("wall-orders", "wall-minutes")
            await watched(2)
            await killed("relay", "wall")
            await watched(3)

        killing = asyncio.create_task(all_killed())
        began, n = time.monotonic(), 0
        while n < ORDERS or not killing.done():
            at = START + timedelta(seconds=7 * n % SPAN_SECONDS)
            await record(world.conn, life(f"k-{n}")[:FACTS], at)
            n += 1
            await asyncio.sleep(max(0.0, began + n * FACTS / RATE - time.monotonic()))
        await killing
        last, by_minute = await last_facts(world.conn), await minutes(world.conn)

        async def all_shown() -> bool:
            async with httpx.AsyncClient() as client:
                told = (await client.get(f"{url}/minutes")).json()
            return page.rows == last and told["minutes"] == by_minute

        try:
            await until(all_shown, 30)
        finally:
            await end(reading)
        posted = [(came.id, came.body) for came in sink.came]
    for positions in page.of_each().values():
        assert positions == sorted(set(positions))
    passed = [name for name, minute in by_minute.items() if minute["orders"] >= MOST]
    events = [event_of(name, Threshold("orders", "", MOST)) for name in passed]
    assert set(posted) == {(event.attributes["id"], event.data) for event in events}
