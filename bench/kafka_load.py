"""The load through Kafka: wishes are written straight to the topic of orders."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from bench.pacing import Pace
from bus.batches import BatchSender, Place, Record
from bus.message import Message
from bus.partition import partition_of
from bus.publisher import PublishFailed

TOPIC = "quire.order.commands"
AGAIN_SECONDS = 0.2

Row = tuple[Place, Record]


async def partitions(bootstrap: str, topic: str) -> int:
    """How many partitions a topic has."""
    sender = BatchSender(bootstrap)
    await sender.start()
    try:
        return await sender.partitions(topic)
    finally:
        await sender.stop()


def rows(messages: Sequence[Message], topic: str, count: int) -> list[Row]:
    """The messages as records, each with its partition."""
    made: list[Row] = []
    for message in messages:
        key = message.key.encode()
        record = Record(key, message.data, message.headers())
        made.append(((topic, partition_of(key, count)), record))
    return made


async def send(bootstrap: str, made: Sequence[Row], pace: Pace) -> None:
    """Send each row when it is due; a failed send is repeated until Kafka takes it."""
    sender = BatchSender(bootstrap)
    await sender.start()
    try:
        while (due := await pace.due()) is not None:
            begin, end = due
            chunk: dict[Place, list[Record]] = {}
            for place, record in made[begin:end]:
                chunk.setdefault(place, []).append(record)
            while not await _sent(sender, chunk):
                await sender.stop()
                await asyncio.sleep(AGAIN_SECONDS)
                sender = BatchSender(bootstrap)
                await sender.start()
            pace.took(begin, end, monotonic())
    finally:
        await sender.stop()


async def send_at_once(bootstrap: str, messages: Sequence[Message], topic: str) -> None:
    """Send all of them now."""
    sender = BatchSender(bootstrap)
    await sender.start()
    try:
        chunk: dict[Place, list[Record]] = {}
        for place, record in rows(messages, topic, await sender.partitions(topic)):
            chunk.setdefault(place, []).append(record)
        await sender.send(chunk)
    finally:
        await sender.stop()


async def _sent(sender: BatchSender, chunk: dict[Place, list[Record]]) -> bool:
    try:
        await sender.send(chunk)
    except PublishFailed:
        return False
    return True
