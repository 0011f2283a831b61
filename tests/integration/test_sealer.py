"""The sealer on real Kafka and Postgres: what it signs, a witness elsewhere has too."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from pydantic import SecretStr

from domain.inventory.messages import StockReceived
from store import seals
from store.verify import verify
from streams import sealer
from streams.settings import Settings
from tests.integration.facts import record

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
async def topic(
    topics: Callable[[str, int], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> str:
    name = await topics("seals", 1)
    monkeypatch.setattr(sealer, "TOPIC", name)
    return name


@asynccontextmanager
async def running(dsn: str, kafka: str, directory: Path) -> AsyncGenerator[None]:
    settings = Settings(
        postgres_dsn=SecretStr(dsn), kafka=kafka, state_dir=directory, seal_every_seconds=0.05
    )
    stop = asyncio.Event()
    task = asyncio.create_task(sealer.sealer(settings, KEY, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def read(kafka: str, topic: str, count: int) -> list[KafkaMessage]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            records: list[Any] = [await anext(consumer) for _ in range(count)]
    finally:
        await consumer.stop()
    return [KafkaMessage(headers=dict(r.headers), key=r.key, value=r.value) for r in records]


async def test_what_is_new_is_sealed_and_published_once(
    conn: AsyncConnection, postgres_dsn: str, kafka: str, topic: str, tmp_path: Path
):
    async with running(postgres_dsn, kafka, tmp_path):
        async with running(postgres_dsn, kafka, tmp_path):  # a second one stands by
            await record(conn, [StockReceived("mug", 5)])
            await read(kafka, topic, 1)
        await record(conn, [StockReceived("cup", 5), StockReceived("pot", 1)])
        messages = await read(kafka, topic, 2)
    events = [from_binary_event(message) for message in messages]
    kept = await seals.after(conn, 0)
    assert [event.get_type() for event in events] == ["quire.seal.v1"] * 2
    assert [event.get_subject() for event in events] == ["seal-1", "seal-2"]
    bodies = [json.loads(message.value or b"") for message in messages]
    assert [body["root"] for body in bodies] == [seal.root.hex() for seal in kept]
    assert [body["signature"] for body in bodies] == [seal.signature.hex() for seal in kept]
    assert verify(postgres_dsn, KEY.public_key()).seals == 2


async def test_a_seal_that_was_not_published_before_the_crash_is_published_later(
    conn: AsyncConnection, postgres_dsn: str, kafka: str, topic: str, tmp_path: Path
):
    await record(conn, [StockReceived("jug", 5)])
    await sealer.seal_all(conn, KEY)
    [*_, last] = await seals.after(conn, 0)
    async with running(postgres_dsn, kafka, tmp_path):
        [message] = await read(kafka, topic, 1)
    assert json.loads(message.value or b"")["number"] == last.number
