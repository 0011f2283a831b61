"""The source: takes records from topics to an address, as Knative's KafkaSource does.

One request at a time for each partition, in order. What is not taken is tried again, and in the
end goes to the dead letters; only then the group moves on. Killed in between, it repeats.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from bus import clients
from bus.clients import Taken
from bus.event import Event, delivered, failed
from bus.publisher import KafkaPublisher, PublishFailed
from bus.topics import KafkaUnavailable, partition_counts
from store.tasks import end
from streams.lifecycle import CannotGoOn, beat, pause, ready, stopping
from streams.posting import Poster
from streams.settings import SourceSettings

PARTNER_TOPICS = ("partner.orders", "partner.scans", "partner.goods-receipts")
DEAD_LETTERS = "quire.dead-letters"
COMMIT_SECONDS = 1.0
PAUSE = 1.0

log = logging.getLogger("quire.source")


async def run(settings: SourceSettings, topics: Sequence[str]) -> None:
    """Deliver until SIGTERM."""
    await deliver(settings, topics, stopping())


async def deliver(
    settings: SourceSettings,
    topics: Sequence[str],
    stop: asyncio.Event,
    letters: str = DEAD_LETTERS,
) -> None:
    """Begin again after each fault of Kafka's, until `stop` is set."""
    while not stop.is_set():
        try:
            await _require_topics(settings.kafka, [*topics, letters])
            await _one_life(settings, topics, stop, letters)
        except (KafkaError, KafkaUnavailable, PublishFailed, OSError) as fault:
            log.warning("begins again: %r", fault)
            beat()
            await pause(stop, PAUSE)


async def _require_topics(kafka: str, topics: Sequence[str]) -> None:
    counts = await partition_counts(kafka, topics)
    missing = [topic for topic in topics if not counts.get(topic)]
    if missing:
        raise CannotGoOn(f"there is no topic {', '.join(missing)}: make it, or name another one")


async def _one_life(
    settings: SourceSettings, topics: Sequence[str], stop: asyncio.Event, letters: str
) -> None:
    publisher = KafkaPublisher(settings.kafka)
    poster = Poster(settings.source_sink, timeout_seconds=settings.source_timeout_seconds)
    consumer = clients.subscriber(
        settings.kafka,
        group=settings.source_group,
        session_seconds=settings.session_timeout_seconds,
        instance=settings.instance,
    )
    source = Source(settings, consumer, poster, DeadLetters(publisher, letters), stop)
    await publisher.start()
    try:
        consumer.subscribe(topics, listener=source)
        await consumer.start()
        ready()
        await source.work()
    finally:
        await source.end()
        await consumer.stop()
        await publisher.stop()
        poster.close()


class DeadLetters:
    """Where an event goes that nobody takes."""

    def __init__(self, publisher: KafkaPublisher, topic: str) -> None:
        self._publisher = publisher
        self._topic = topic

    async def add(self, event: Event) -> None:
        """Return when Kafka has it; raises PublishFailed."""
        await self._publisher.publish_record(self._topic, *event.record())


class Stopped(Exception):
    """The process ends; what was not delivered yet is delivered by the next one."""


class Source(ConsumerRebalanceListener):
    """Delivers the partitions that it has: a task for each."""

    def __init__(
        self,
        settings: SourceSettings,
        consumer: clients.Subscriber,
        poster: Poster,
        letters: DeadLetters,
        stop: asyncio.Event,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._poster = poster
        self._letters = letters
        self._stop = stop
        self._address = f"/apis/v1/namespaces/local/kafkasources/{settings.source_name}"
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._busy: set[TopicPartition] = set()
        self._done: dict[TopicPartition, int] = {}

    async def work(self) -> None:
        """Until the stop: deliver, and commit now and then. Raises what a partition met."""
        while not await pause(self._stop, COMMIT_SECONDS):
            beat()
            for task in self._tasks.values():
                if task.done():
                    task.result()
            await self._commit()

    async def end(self) -> None:
        """Finish the requests that are under way, and say how far it came."""
        idle = [task for part, task in self._tasks.items() if part not in self._busy]
        await end(*idle)
        busy = [task for task in self._tasks.values() if not task.done()]
        if busy and self._stop.is_set():
            await asyncio.wait(busy, timeout=self._settings.drain_seconds)
        await self._let_go()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        self, revoked: list[TopicPartition]
    ) -> None:
        await self._let_go()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] awaited
        self, assigned: list[TopicPartition]
    ) -> None:
        self._tasks = {part: asyncio.create_task(self._deliver_all(part)) for part in assigned}

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

    async def _deliver_all(self, part: TopicPartition) -> None:
        while not self._stop.is_set():
            record = await self._consumer.getone(part)
            self._busy.add(part)
            try:
                await self._deliver(record)
            except Stopped:
                return
            finally:
                self._busy.discard(part)
            self._done[part] = record.offset + 1

    async def _deliver(self, record: Taken) -> None:
        """Return when it was taken, or is a dead letter; raises Stopped, PublishFailed."""
        event = delivered(record, self._address)
        tries = self._settings.source_retries
        wait = self._settings.source_backoff_seconds
        while (failure := await self._poster.post(event)) is not None:
            if not failure.may_pass or tries <= 0:
                break
            if await pause(self._stop, wait):
                raise Stopped
            tries, wait = tries - 1, 2 * wait
        else:
            return
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.warning("%s is a dead letter: %d %s", place, failure.code, failure.reason)
        await self._letters.add(failed(event, self._settings.source_sink, *failure))
