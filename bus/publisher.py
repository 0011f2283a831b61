"""Publishing one message: the seam for all who send now and then, and its Kafka adapter."""

import asyncio
from typing import Protocol

from aiokafka.errors import (
    KafkaError,
    KafkaStorageError,
    MessageSizeTooLargeError,
    UnknownTopicOrPartitionError,
)

from bus import clients
from bus.message import Headers, Message


class PublishFailed(Exception):
    """No acknowledgement came; the message may be there all the same."""

    code = "unavailable"


class KafkaDiskFull(PublishFailed):
    """Kafka cannot write to its disk; a broker with one disk ends itself then."""

    code = "disk_full"


class TooLarge(PublishFailed):
    """Kafka takes no record of that size, however often it is sent."""


def publish_failed(where: str, fault: BaseException) -> PublishFailed:
    """What became of a record, or of a producer, with what a person can do about it."""
    if isinstance(fault, KafkaStorageError):
        told = "Kafka cannot write to its disk, free some of it and start the broker again"
        return KafkaDiskFull(f"{where}: {told}: {fault!r}")
    if isinstance(fault, UnknownTopicOrPartitionError):
        return PublishFailed(f"{where}: no such topic, make it with `quire topics create`")
    if isinstance(fault, MessageSizeTooLargeError):
        return TooLarge(f"{where}: {fault!r}")
    return PublishFailed(f"{where}: {fault!r}")


class Publisher(Protocol):
    """Takes a message to a topic."""

    async def publish(self, topic: str, message: Message) -> None:
        """Return when it is kept safely; raises PublishFailed."""
        ...


class KafkaPublisher:
    """Sends straight to Kafka and waits for all replicas."""

    def __init__(self, bootstrap: str, *, timeout_seconds: float = 10) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout_seconds
        self._producer: clients.Producer | None = None

    async def start(self) -> None:
        """Connect; raises PublishFailed when Kafka is not there."""
        producer = clients.producer(self._bootstrap, timeout_seconds=self._timeout)
        try:
            await producer.start()
        except (KafkaError, OSError) as fault:
            await producer.stop()
            raise PublishFailed(f"Kafka does not answer: {fault!r}") from fault
        self._producer = producer

    async def stop(self) -> None:
        """Send what is on its way, then disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def publish(self, topic: str, message: Message) -> None:
        await self.publish_record(topic, message.key.encode(), message.data, message.headers())

    async def publish_record(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> tuple[int, int]:
        """Send a record as it was written down earlier; gives its partition and offset.

        Raises PublishFailed, of which TooLarge will not pass.
        """
        if self._producer is None:
            raise PublishFailed("not connected")
        try:
            async with asyncio.timeout(self._timeout):
                placed = await self._producer.send_and_wait(
                    topic, value=value, key=key, headers=headers
                )
        except (KafkaError, OSError, TimeoutError) as fault:
            raise publish_failed(topic, fault) from fault
        return placed.partition, placed.offset
