"""aiokafka's clients with the types that it leaves open."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient

from bus.security import security

METADATA_AGE_MS = 5_000  # how late a change of the number of partitions is noticed
DAY_MS = 86_400_000


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


class Taken(Protocol):
    """A record as a subscriber gets it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Subscriber(Protocol):
    """What we use of AIOKafkaConsumer as a member of a group."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def subscribe(self, topics: Sequence[str], *, listener: ConsumerRebalanceListener) -> None: ...
    async def getone(self, *partitions: TopicPartition) -> Taken: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...


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
        **security().settings(),
    )
    return cast("Producer", made)


def reader(bootstrap: str, *, group: str | None = None) -> Reader:
    """A consumer that asks for offsets and reads nothing; not started."""
    made: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        metadata_max_age_ms=METADATA_AGE_MS,
        **security().settings(),
    )
    return cast("Reader", made)


def subscriber(
    bootstrap: str, *, group: str, session_seconds: float, instance: str = ""
) -> Subscriber:
    """A member of a group, from the first record that nobody of it has read; not started.

    It commits nothing by itself, and may hold a record as long as it likes.
    """
    made: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=instance or None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(session_seconds * 1000),
        heartbeat_interval_ms=int(session_seconds * 1000 / 4),
        max_poll_interval_ms=DAY_MS,
        max_partition_fetch_bytes=LARGEST_RECORD,
        metadata_max_age_ms=METADATA_AGE_MS,
        **security().settings(),
    )
    return cast("Subscriber", made)


def admin(bootstrap: str, *, timeout_seconds: float = 40) -> Any:
    """Asks about topics and groups, and changes them; not started."""
    return AIOKafkaAdminClient(
        bootstrap_servers=bootstrap,
        request_timeout_ms=int(timeout_seconds * 1000),
        **security().settings(),
    )
