"""What the tests of the source share: a topic, its dead letters, a source between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer, TopicPartition

from bus.clients import reader
from bus.topics import group_offsets
from streams.settings import SourceSettings
from streams.source import deliver

BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"A 1"),
    ("ce_source", "//shop/ü#1".encode()),
    ("ce_type", b"partner.order.v1"),
    ("ce_time", b"2026-11-21T12:00:00Z"),
    ("content-type", b"application/json"),
]


class Bench:
    """A topic, its dead letters, and a source between the topic and a receiver."""

    def __init__(self, kafka: str, topic: str, letters: str, producer: Any) -> None:
        self.kafka, self.topic, self.letters = kafka, topic, letters
        self.group = f"g-{uuid4().hex[:8]}"
        self._producer = producer

    def settings(self, sink: str, **changes: object) -> SourceSettings:
        values: dict[str, object] = {
            "kafka": self.kafka, "source_sink": sink, "source_group": self.group,
            "source_name": "shop", "source_retries": 3, "source_backoff_seconds": 0.01,
            "session_timeout_seconds": 6,
        }  # fmt: skip
        return SourceSettings.model_validate(values | changes)

    async def put(
        self,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
        *,
        key: bytes | None = None,
        partition: int = 0,
    ) -> int:
        placed = await self._producer.send_and_wait(
            self.topic, value, key=key, headers=headers or [], partition=partition,
            timestamp_ms=1_763_722_800_123,
        )  # fmt: skip
        return placed.offset

    async def put_compressed(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        producer: Any = AIOKafkaProducer(
            bootstrap_servers=self.kafka, compression_type="gzip", max_request_size=2 * len(value)
        )
        await producer.start()
        try:
            await producer.send_and_wait(self.topic, value, headers=headers, partition=0)
        finally:
            await producer.stop()

    async def event(self, id: str, partition: int = 0, data: bytes = b"{}") -> None:
        headers = [(name, id.encode() if name == "ce_id" else text) for name, text in BINARY]
        await self.put(data, headers, partition=partition)

    @asynccontextmanager
    async def running(self, sink: str, **changes: object) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        settings = self.settings(sink, **changes)
        task = asyncio.create_task(deliver(settings, [self.topic], stop, self.letters))
        yield
        stop.set()
        await task

    async def dead(self) -> list[Any]:
        """All dead letters, oldest first."""
        consumer: Any = reader(self.kafka)
        await consumer.start()
        try:
            part = TopicPartition(self.letters, 0)
            consumer.assign([part])
            await consumer.seek_to_beginning(part)
            end = (await consumer.end_offsets([part]))[part]
            found: list[Any] = []
            while len(found) < end:
                found += (await consumer.getmany(part, timeout_ms=500)).get(part, [])
            return found
        finally:
            await consumer.stop()

    async def committed(self) -> dict[int, int]:
        offsets = await group_offsets(self.kafka, self.group)
        return {partition: at for (_, partition), at in offsets.items()}
