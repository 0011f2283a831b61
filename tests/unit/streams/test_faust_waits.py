"""The short cut past Faust's four tasks a message does what Faust's own wait does."""

import asyncio
from typing import Any

from mode import Service

from streams.faustapp import FencedConsumer


def waiting() -> Any:
    """A consumer that can wait and does nothing else."""
    consumer: Any = object.__new__(FencedConsumer)
    service: Any = Service
    service.__init__(consumer)
    return consumer


async def test_what_is_done_at_once_needs_no_task():
    async def delivers() -> str:
        return "put"

    before = len(asyncio.all_tasks())
    results = await waiting().wait_first(delivers(), asyncio.Event().wait())
    assert (results.results, results.stopped) == (["put"], False)
    assert len(asyncio.all_tasks()) == before


async def test_what_has_to_wait_goes_on_where_it_stopped():
    room = asyncio.Event()

    async def delivers() -> str:
        await room.wait()
        await asyncio.sleep(0)
        return "put"

    asyncio.get_running_loop().call_later(0.01, room.set)
    results = await waiting().wait_first(delivers(), asyncio.Event().wait())
    assert results.results == ["put"]


async def test_a_flow_that_is_suspended_ends_the_wait():
    suspended = asyncio.Event()

    async def delivers() -> None:
        await asyncio.Event().wait()

    asyncio.get_running_loop().call_later(0.01, suspended.set)
    results = await waiting().wait_first(delivers(), suspended.wait())
    assert (results.results, results.stopped) == ([True], False)


async def test_any_other_wait_is_left_to_faust():
    resumed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, resumed.set)
    results = await waiting().wait_first(resumed)
    assert results.done == [resumed]
