"""A member of a consumer group: a task for each partition, one record after the other.

The group moves on once a second, and only past what was handled; killed before that, it repeats.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from bus import clients
from bus.clients import Taken
from bus.topics import KafkaRefuses, partition_counts
from store.tasks import end
from streams.lifecycle import beat, pause, ready
from streams.partitions import login_refused, missing
from streams.settings import SourceSettings

COMMIT_SECONDS = 1.0

log = logging.getLogger("quire.consuming")

Handle = Callable[[Taken], Awaitable[None]]


class Stopped(Exception):
    """The process ends; what is not handled yet is left to the next one."""


async def require_topics(kafka: str, topics: Sequence[str]) -> None:
    """Raises CannotGoOn when one is missing or Kafka does not let us in, KafkaUnavailable."""
    try:
        counts = await partition_counts(kafka, topics)
    except KafkaRefuses as reason:
        raise login_refused(reason) from reason
    if gone := [topic for topic in topics if not counts.get(topic)]:
        raise missing(gone)


async def consume(
    settings: SourceSettings, group: str, topics: Sequence[str], handle: Handle, stop: asyncio.Event
) -> None:
    """Until the stop: hand over each record, then commit. Raises what `handle` raised.

    `handle` may take as long as it likes, and raises Stopped when it gives up because of the stop.
    """
    consumer = clients.subscriber(
        settings.kafka,
        group=group,
        session_seconds=settings.session_timeout_seconds,
        instance=settings.instance,
    )
    partitions = _Partitions(consumer, handle, stop)
    try:
        consumer.subscribe(topics, listener=partitions)
        await consumer.start()
        ready()
        await partitions.work()
    finally:
        await partitions.end(settings.drain_seconds)
        await consumer.stop()


class _Partitions(ConsumerRebalanceListener):
    """Those that are ours now."""

    def __init__(self, consumer: clients.Subscriber, handle: Handle, stop: asyncio.Event) -> None:
        self._consumer = consumer
        self._handle = handle
        self._stop = stop
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._busy: set[TopicPartition] = set()
        self._done: dict[TopicPartition, int] = {}

    async def work(self) -> None:
        while not await pause(self._stop, COMMIT_SECONDS):
            beat()
            for task in self._tasks.values():
                if task.done():
                    task.result()
            await self._commit()

    async def end(self, seconds: float) -> None:
        """After a stop, finish what is under way; then say how far it came."""
        await end(*(task for part, task in self._tasks.items() if part not in self._busy))
        busy = [task for task in self._tasks.values() if not task.done()]
        if busy and self._stop.is_set():
            await asyncio.wait(busy, timeout=seconds)
        await self._let_go()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        self, revoked: list[TopicPartition]
    ) -> None:
        await self._let_go()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        self, assigned: list[TopicPartition]
    ) -> None:
        self._tasks = {part: asyncio.create_task(self._read(part)) for part in assigned}

    async def _let_go(self) -> None:
        tasks, self._tasks = list(self._tasks.values()), {}
        await end(*tasks)
        self._busy.clear()
        await self._commit()
        self._done.clear()

    async def _commit(self) -> None:
        done = dict(self._done)
        if not done:
            return
        try:
            await self._consumer.commit(done)
        except KafkaError as fault:  # others have the partitions by now: they repeat, no more
            log.info("not committed: %r", fault)
            return
        self._done = {part: at for part, at in self._done.items() if done.get(part) != at}

    async def _read(self, part: TopicPartition) -> None:
        while not self._stop.is_set():
            record = await self._consumer.getone(part)
            self._busy.add(part)
            try:
                await self._handle(record)
            except Stopped:
                return
            finally:
                self._busy.discard(part)
            self._done[part] = record.offset + 1
