"""How far each process is behind: workers in their topic, readers of the log in the log, timers
in what is due."""

import asyncio
from time import time
from typing import Any, NamedTuple

import msgspec
import psycopg
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from bus import clients
from domain.catalog import TOPICS
from store import progress
from store.views.every import VIEWS

SECONDS = 5.0
AGE_SECONDS = 3.0
RELAY = "relay"  # the name of its checkpoint
SEALS = "seal"
SOURCE = "quire-source"
PARTNERS = ("partner.orders", "partner.scans", "partner.goods-receipts")
SHOWN = tuple(view.name for view in VIEWS.values())


class Reader(NamedTuple):
    """A process that reads topics, as a consumer group."""

    group: str
    topics: tuple[str, ...]


READERS = {
    **{f"worker-{name}": Reader(f"quire-{name}", (topic,)) for name, topic in TOPICS.items()},
    "source": Reader(SOURCE, PARTNERS),
    "worker-dead-letters": Reader("quire-dead-letters", ("quire.dead-letters",)),
}


class Lag(msgspec.Struct, frozen=True):
    """What a process has not done yet, and how long the oldest of it has waited."""

    records: int
    seconds: float


async def lags(postgres_dsn: str, kafka: str) -> dict[str, Lag]:
    """Give the lag of each process by its name; who cannot be asked about is left out."""
    found = await asyncio.gather(_in_log(postgres_dsn), _in_topics(kafka))
    return found[0] | found[1]


async def _in_log(dsn: str) -> dict[str, Lag]:
    try:
        async with asyncio.timeout(SECONDS):
            conn = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
            async with conn:
                behind = await progress.behind(conn, (RELAY, *SHOWN))
                overdue = await progress.overdue(conn)
    except (psycopg.Error, TimeoutError):
        return {}
    of = {"relay": (RELAY,), "sealer": (SEALS,), "projector": SHOWN}
    seen = {name: [behind[each] for each in marks if each in behind] for name, marks in of.items()}
    return {name: Lag(*max(each)) for name, each in seen.items() if each} | {
        "timers": Lag(*overdue)
    }


async def _in_topics(bootstrap: str) -> dict[str, Lag]:
    admin: Any = clients.admin(bootstrap)
    consumer: Any = clients.reader(bootstrap)
    try:
        async with asyncio.timeout(SECONDS):
            await admin.start()
            await consumer.start()
            unread = await _unread(admin, consumer)
            ages = await _ages(consumer, {part: done for part, (done, _) in unread.items()})
    except (KafkaError, OSError):
        return {}
    finally:
        await consumer.stop()
        await admin.close()
    return {name: _lag(reader.topics, unread, ages) for name, reader in READERS.items()}


def _lag(
    topics: tuple[str, ...], unread: dict[Any, tuple[int, int]], ages: dict[str, float]
) -> Lag:
    records = sum(end - done for part, (done, end) in unread.items() if part.topic in topics)
    return Lag(records, max(ages.get(topic, 0.0) for topic in topics))


async def _unread(admin: Any, consumer: Any) -> dict[Any, tuple[int, int]]:
    """Give, for each partition that is not read to its end, where its reader is and the end."""
    parts = [
        TopicPartition(topic["topic"], part["partition"])
        for topic in await admin.describe_topics(
            [topic for reader in READERS.values() for topic in reader.topics]
        )
        for part in topic["partitions"]
    ]
    first: dict[Any, int] = await consumer.beginning_offsets(parts)
    ends: dict[Any, int] = await consumer.end_offsets(parts)
    groups = (offsets_of(admin, reader.group) for reader in READERS.values())
    read: dict[Any, Any] = {}
    for offsets in await asyncio.gather(*groups):
        read |= offsets
    at = {part: max(read[part].offset if part in read else 0, first[part]) for part in parts}
    return {part: (at[part], ends[part]) for part in parts if at[part] < ends[part]}


async def offsets_of(admin: Any, group: str) -> dict[Any, Any]:
    """Give a group's offsets; a young Kafka must first make the topic that keeps them."""
    while True:
        try:
            return await admin.list_consumer_group_offsets(group)
        except KafkaError as fault:
            if not fault.retriable:
                raise
            await asyncio.sleep(0.1)


async def _ages(consumer: Any, unread: dict[Any, int]) -> dict[str, float]:
    """Give the age in seconds of the oldest unread record of each topic."""
    consumer.assign(list(unread))
    for part, offset in unread.items():
        consumer.seek(part, offset)
    ages: dict[str, float] = {}
    waiting = set(unread)
    deadline = time() + AGE_SECONDS
    while waiting and time() < deadline:
        batches: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=100)
        for part, batch in batches.items():
            age = max(0.0, time() - batch[0].timestamp / 1000)
            ages.setdefault(part.topic, age)
            if part in waiting:
                ages[part.topic] = max(ages[part.topic], age)
        waiting -= batches.keys()
    return ages
