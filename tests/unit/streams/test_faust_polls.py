"""All that a poll brings goes through Faust as one message, and the next poll waits for it."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.consumer import Consumer
from faust.types import TP

from streams.faustapp import FencedConsumer
from tests.integration.hand import Record

ONE, TWO, THREE = TP("topic", 1), TP("topic", 2), TP("topic", 3)


def run(partition: int, first: int, last: int) -> list[Record]:
    return [Record(partition, offset, b"k", b"v") for offset in range(first, last + 1)]


POLLED = {ONE: run(1, 4, 6), TWO: [], THREE: run(3, 0, 0)}
BROUGHT = {ONE: POLLED[ONE], THREE: POLLED[THREE]}


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Any:
    async def poll(self: Any, timeout: float) -> Any:  # noqa: ASYNC109 Faust's own signature
        return POLLED, {ONE}

    monkeypatch.setattr(Consumer, "_wait_next_records", poll)
    made: Any = object.__new__(FencedConsumer)
    made.app = SimpleNamespace(consumer_generation_id=3)
    made.brought, made.breath, made.done = False, 0.0, asyncio.Event()
    made._acked = defaultdict(list)
    made._unacked_messages = set()
    made._waiting_for_ack = None
    return made


async def test_a_poll_becomes_one_message(consumer: Any):
    records, active = await consumer._wait_next_records(1.0)
    assert (records, active) == ({ONE: [BROUGHT]}, {ONE})
    message = consumer._to_message(ONE, BROUGHT)
    assert (message.tp, message.offset, message.value) == (ONE, 6, BROUGHT)
    assert message.generation_id == 3


async def test_the_next_poll_waits_until_this_one_is_done(consumer: Any):
    await consumer._wait_next_records(1.0)
    following = asyncio.create_task(consumer._wait_next_records(30.0))
    await asyncio.sleep(0.01)
    assert not following.done()
    consumer.ack(consumer._to_message(ONE, BROUGHT))
    async with asyncio.timeout(5):
        await following


async def test_what_nobody_finishes_holds_up_no_poll(consumer: Any):
    await consumer._wait_next_records(1.0)
    async with asyncio.timeout(5):
        await consumer._wait_next_records(0.01)


@pytest.mark.parametrize("steps", range(6))
async def test_told_to_stop_just_when_the_poll_is_done(consumer: Any, steps: int):
    """Whichever step of the loop it falls on, it stops: Faust says it once and waits for ever."""
    consumer.breath = 60.0
    await consumer._wait_next_records(1.0)
    following = asyncio.create_task(consumer._wait_next_records(30.0))
    await asyncio.sleep(0)
    consumer.ack(consumer._to_message(ONE, BROUGHT))
    for _ in range(steps):
        await asyncio.sleep(0)
    following.cancel()
    await asyncio.wait({following}, timeout=1.0)
    assert following.cancelled()


def test_what_is_acknowledged_is_done_to_its_end_and_told_once(consumer: Any):
    assert consumer._new_offset(ONE) is None
    consumer.ack(consumer._to_message(ONE, BROUGHT))
    consumer.ack(consumer._to_message(ONE, {ONE: run(1, 7, 9)}))
    assert (consumer._new_offset(ONE), consumer._new_offset(THREE)) == (10, 1)
    assert consumer._new_offset(ONE) is None
