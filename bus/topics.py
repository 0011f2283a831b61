"""What Kafka says of topics and groups: partitions, offsets, who reads; and more partitions."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError, KafkaError

from bus import clients
from bus.batches import Place
from bus.refusal import refusal

COORDINATOR_TRIES = 50


class KafkaUnavailable(Exception):
    """Kafka cannot be asked now."""


class KafkaRefuses(KafkaUnavailable):
    """Kafka answers and does not take our user or password: no waiting mends that."""


class Extent(NamedTuple):
    """The first offset that a partition still holds, and the one after its last."""

    start: int
    end: int


class Offsets:
    """Asks for offsets, again and again over one connection."""

    def __init__(self, reader: clients.Reader) -> None:
        self._reader = reader

    async def extents(self, places: Iterable[Place]) -> dict[Place, Extent]:
        """How far each partition reaches."""
        wanted = [TopicPartition(*place) for place in places]
        try:
            starts = await self._reader.beginning_offsets(wanted)
            ends = await self._reader.end_offsets(wanted)
        except (KafkaError, OSError) as fault:
            raise KafkaUnavailable(repr(fault)) from fault
        return {(tp.topic, tp.partition): Extent(starts[tp], ends[tp]) for tp in wanted}


@asynccontextmanager
async def offsets(bootstrap: str) -> AsyncGenerator[Offsets]:
    """An open connection for offsets; raises KafkaUnavailable."""
    reader = clients.reader(bootstrap)
    try:
        try:
            await reader.start()
        except (KafkaError, OSError) as fault:
            raise KafkaUnavailable(repr(fault)) from fault
        yield Offsets(reader)
    finally:
        await reader.stop()


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncGenerator[Any]:
    """An open connection for what `clients.admin` asks; raises KafkaUnavailable, KafkaRefuses."""
    asks = clients.admin(bootstrap)
    try:
        await asks.start()
        yield asks
    except KafkaConnectionError as fault:
        if refused := await refusal(bootstrap):
            raise KafkaRefuses(f"Kafka does not let us in: {refused}") from refused
        raise KafkaUnavailable(repr(fault)) from fault
    except (KafkaError, OSError) as fault:
        raise KafkaUnavailable(repr(fault)) from fault
    finally:
        await asks.close()


async def partition_counts(bootstrap: str, topics: Sequence[str]) -> dict[str, int]:
    """How many partitions each topic has; 0 when there is no such topic."""
    async with admin(bootstrap) as asks:
        found = await asks.describe_topics(list(topics))
    return {described["topic"]: len(described["partitions"]) for described in found}


async def group_offsets(bootstrap: str, group: str) -> dict[Place, int]:
    """What the group has committed."""
    async with admin(bootstrap) as asks:
        found = await asks.list_consumer_group_offsets(group)
    return {(tp.topic, tp.partition): meta.offset for tp, meta in found.items() if meta.offset >= 0}


async def members(bootstrap: str, group: str) -> int:
    """How many consumers the group has now."""
    async with admin(bootstrap) as asks:
        for _ in range(COORDINATOR_TRIES):
            try:
                responses = await asks.describe_consumer_groups([group])
                break
            except GroupCoordinatorNotAvailableError:  # a broker that never had a group
                await asyncio.sleep(0.2)
        else:
            raise KafkaUnavailable(f"nobody coordinates {group}")
    return sum(len(described[5]) for response in responses for described in response.groups)


async def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    """Grow the topic; raises KafkaUnavailable when Kafka will not."""
    async with admin(bootstrap) as asks:
        answer = await asks.create_partitions({topic: NewPartitions(total_count=total)})
    for _, code, message in answer.topic_errors:
        if code:
            raise KafkaUnavailable(f"Kafka refuses to grow {topic}: {message or code}")


async def set_group_offsets(bootstrap: str, group: str, to: Mapping[Place, int]) -> None:
    """Commit offsets for a group without members."""
    reader = clients.reader(bootstrap, group=group)
    tps = {TopicPartition(*place): offset for place, offset in to.items()}
    try:
        await reader.start()
        reader.assign(list(tps))
        await reader.commit(tps)
    except (KafkaError, OSError) as fault:
        raise KafkaUnavailable(repr(fault)) from fault
    finally:
        await reader.stop()
