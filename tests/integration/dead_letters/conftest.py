"""From a partner's record that nobody takes to the order after all: source, intake, agent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from store.connect import AsyncConnection
from streams.dead_letters import agent
from streams.settings import Settings
from streams.source import deliver
from tests.integration.dead_letters.world import Way
from tests.integration.fresh import make_anew
from tests.integration.intake_world import serving

TOPICS = ["partner.orders", "partner.scans", "partner.goods-receipts"]
MADE: list[str] = []
TopicMaker = Callable[[str, int], Awaitable[str]]


@pytest.fixture
async def way(
    postgres_dsn: str, kafka: str, topics: TopicMaker, tmp_path: Path, conn: AsyncConnection
) -> AsyncIterator[Way]:
    if not MADE:  # nothing of an earlier run; after that one source reads on
        await make_anew(kafka, TOPICS, 3)
        MADE.append(f"g-{uuid4().hex}")
    await conn.execute("delete from parked")
    letters = await topics("letters", 1)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(serving(postgres_dsn, tmp_path))
        settings = Settings.model_validate(
            {
                "postgres_dsn": postgres_dsn, "kafka": kafka, "state_dir": tmp_path,
                "source_sink": f"{intake.url}/events", "source_group": MADE[0],
                "source_name": MADE[0], "source_retries": 1, "source_backoff_seconds": 0.01,
                "redrive_targets": f"http://elsewhere.example/events, {intake.url}/events/",
            }
        )  # fmt: skip
        works = [deliver(settings, TOPICS, stop, letters), agent(settings, stop, letters)]
        tasks = [asyncio.create_task(work) for work in works]
        producer: Any = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        yield Way(conn, intake, producer, letters, settings)
        await producer.stop()
        stop.set()
        await asyncio.gather(*tasks)
