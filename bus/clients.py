"""aiokafka's clients with the types that it leaves open."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

METADATA_AGE_MS = 5_000  # how late a change of the number of partitions is noticed


class Placed(Protocol):
    """Where an acknowledged record, or the first of a batch, stands."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


class Batch(Protocol):
    """A record batch in the making."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> object | None: ...
    def close(self) -> None: ...
    def record_count(self) -> int: ...


class Producer(Protocol):
    """What we use of AIOKafkaProducer."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def partitions_for(self, topic: str) -> set[int]: ...
    async def send_and_wait(
        self, topic: str, *, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> Placed: ...
    def create_batch(self) -> Batch: ...
    async def send_batch(
        self, batch: Batch, topic: str, *, partition: int
    ) -> Awaitable[Placed]: ...


class Reader(Protocol):
    """What we use of AIOKafkaConsumer."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def beginning_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def end_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...


# A fact can be a little larger than the command that it came from; stack/topics.py allows as much.
LARGEST_RECORD = 4 * 1024 * 1024


def producer(bootstrap: str, *, timeout_seconds: float, batch_bytes: int = 16_384) -> Producer:
    """An idempotent producer that waits for all replicas; not started."""
    made: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=batch_bytes,
        max_request_size=LARGEST_RECORD,
        metadata_max_age_ms=METADATA_AGE_MS,
        request_timeout_ms=int(timeout_seconds * 1000),
    )
    return cast("Producer", made)


def reader(bootstrap: str, *, group: str | None = None) -> Reader:
    """A consumer that asks for offsets and reads nothing; not started."""
    made: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        metadata_max_age_ms=METADATA_AGE_MS,
    )
    return cast("Reader", made)
