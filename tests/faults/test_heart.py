"""Probes by progress: who stands still is found out and restarted, who catches up is left alone.

What Kubernetes asks is `python -m cli.health`; a minute is cut short by making the file older.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

from cli.health import STANDS_STILL_SECONDS, complaint
from cli.main import main as quire
from streams.engine import Engine
from streams.faustapp import LOOK_SECONDS
from tests.faults.process import Process
from tests.faults.world import World, orders
from tests.integration.relay_world import until

BATCH_SECONDS = 0.5


async def _hangs(self: Engine, batch: Sequence[Any]) -> None:
    await asyncio.Event().wait()


def stalled() -> None:
    Engine.handle = _hangs
    quire()


def slow() -> None:
    handle = Engine.handle

    async def slowly(self: Engine, batch: Sequence[Any]) -> None:
        await asyncio.sleep(BATCH_SECONDS)
        await handle(self, batch)

    Engine.handle = slowly
    quire()


def well(worker: Process) -> str | None:
    return complaint(None, str(worker.ready_file))


def a_minute_passes(worker: Process) -> None:
    then = time.time() - STANDS_STILL_SECONDS - 1
    os.utime(worker.ready_file, (then, then))


async def beats(worker: Process) -> None:
    """It touches the file again; fails when it does not."""
    a_minute_passes(worker)

    async def again() -> bool:
        return well(worker) is None

    await until(again, 4 * LOOK_SECONDS)


async def test_a_worker_that_stands_still_is_found_out(world: World):
    worker = await world.start("worker", "order", main=stalled)
    await worker.ready()
    await beats(worker)  # with nothing to do it is well
    await world.send(orders(1))

    async def found_out() -> bool:
        a_minute_passes(worker)
        await asyncio.sleep(1.5 * LOOK_SECONDS)  # it had its chance
        return "stands still" in (well(worker) or "")

    await until(found_out, 10 * LOOK_SECONDS)


async def test_a_worker_that_catches_up_is_left_alone(world: World):
    await world.send(orders(60))
    worker = await world.start("worker", "order", main=slow, batch_size=1)
    await worker.ready()
    for _ in range(3):
        await beats(worker)
    done = await (await world.conn.execute("select count(*) from outcome")).fetchone()
    assert done is not None
    assert 0 < done[0] < 60, "it was behind all the time"
