"""How far each process is behind: workers in their topic, readers of the log in the log."""

import asyncio
from time import time
from typing import Any

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stack.processes import CONTEXTS
from store import progress

SECONDS = 5.0
LOG_READERS = ("relay", "sealer")  # every other checkpoint is a view's


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
                behind = await progress.behind(conn)
    except (psycopg.Error, TimeoutError):
        return {}
    lags = {name: Lag(*behind[name]) for name in LOG_READERS if name in behind}
    views = [Lag(*each) for name, each in behind.items() if name not in LOG_READERS]
    if views:
        lags["projector"] = max(views, key=lambda lag: lag.records)
    return lags


async def _in_topics(bootstrap: str) -> dict[str, Lag]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        async with asyncio.timeout(SECONDS):
            await admin.start()
            await consumer.start()
            return {f"worker-{name}": await _of_group(name, admin, consumer) for name in CONTEXTS}
    except (KafkaError, OSError):
        return {}
    finally:
        await consumer.stop()
        await admin.close()


async def _of_group(context: str, admin: Any, consumer: Any) -> Lag:
    topic = f"quire.{context}.commands"
    [described] = await admin.describe_topics([topic])
    parts = [TopicPartition(topic, each["partition"]) for each in described["partitions"]]
    done: dict[Any, Any] = await admin.list_consumer_group_offsets(f"quire-{context}")
    first: dict[Any, int] = await consumer.beginning_offsets(parts)
    ends: dict[Any, int] = await consumer.end_offsets(parts)
    at = {part: max(done[part].offset if part in done else 0, first[part]) for part in parts}
    unread = {part: at[part] for part in parts if at[part] < ends[part]}
    records = sum(ends[part] - offset for part, offset in unread.items())
    return Lag(records, await _age(consumer, unread) if unread else 0.0)


async def _age(consumer: Any, unread: dict[Any, int]) -> float:
    """Give the age in seconds of the oldest of the records at these offsets."""
    consumer.assign(list(unread))
    for partition, offset in unread.items():
        consumer.seek(partition, offset)
    batches: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=1000)
    oldest = min((batch[0].timestamp for batch in batches.values() if batch), default=None)
    return 0.0 if oldest is None else max(0.0, time() - oldest / 1000)
