"""Sending many records at once, in order: one record batch a partition in flight."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka.errors import KafkaError

from bus import clients
from bus.message import Headers
from bus.publisher import PublishFailed, publish_failed

BATCH_BYTES = 512 * 1024

Place = tuple[str, int]
"""A partition: its topic and number."""


class Record(NamedTuple):
    """What stands in a partition."""

    key: bytes
    value: bytes
    headers: Headers


class BatchSender:
    """One life of a producer. After a PublishFailed it must be stopped: a batch that expired
    leaves a hole, and the producer would go on after it."""

    def __init__(self, bootstrap: str, *, timeout_seconds: float = 10) -> None:
        self._producer = clients.producer(
            bootstrap, timeout_seconds=timeout_seconds, batch_bytes=BATCH_BYTES
        )

    async def start(self) -> None:
        try:
            await self._producer.start()
        except (KafkaError, OSError) as fault:
            raise PublishFailed(f"Kafka does not answer: {fault!r}") from fault

    async def stop(self) -> None:
        await self._producer.stop()

    async def partitions(self, topic: str) -> int:
        """How many there are, by metadata that are a few seconds old at most."""
        try:
            return len(await self._producer.partitions_for(topic))
        except (KafkaError, OSError) as fault:
            raise publish_failed(topic, fault) from fault

    async def send(self, records: Mapping[Place, Sequence[Record]]) -> dict[Place, int]:
        """Give the offset after the last record of each partition once all are acknowledged."""
        sends = {
            asyncio.create_task(self._send_in_order(place, rows)): place
            for place, rows in records.items()
        }
        if not sends:
            return {}
        try:
            await asyncio.wait(sends, return_when=asyncio.FIRST_EXCEPTION)
            return {place: send.result() for send, place in sends.items() if send.done()}
        except (KafkaError, OSError) as fault:
            raise publish_failed("not sent", fault) from fault
        finally:
            for send in sends:
                send.cancel()
            await asyncio.gather(*sends, return_exceptions=True)

    async def _send_in_order(self, place: Place, records: Sequence[Record]) -> int:
        topic, partition = place
        after, begin = 0, 0
        while begin < len(records):
            batch = self._producer.create_batch()
            for key, value, headers in records[begin:]:
                if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    break
            batch.close()
            count = batch.record_count()
            placed = await (await self._producer.send_batch(batch, topic, partition=partition))
            begin += count
            after = placed.offset + count
        return after
