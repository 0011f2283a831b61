"""The source: takes records from topics to an address, as Knative's KafkaSource does.

One request at a time for each partition, in order. What is not taken is tried again, and in the
end goes to the dead letters; only then the group moves on. Killed in between, it repeats.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka.errors import KafkaError

from bus.clients import Taken
from bus.event import FAILURE, Event, delivered, failed
from bus.publisher import KafkaPublisher, PublishFailed, TooLarge
from bus.topics import KafkaUnavailable
from streams import counting
from streams.consuming import Stopped, consume, require_topics
from streams.lifecycle import beat, pause, stopping
from streams.posting import Poster
from streams.settings import SourceSettings
from telemetry.registry import of_this_process

PARTNER_TOPICS = ("partner.orders", "partner.scans", "partner.goods-receipts")
DEAD_LETTERS = "quire.dead-letters"
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
            await require_topics(settings.kafka, [*topics, letters])
            await _one_life(settings, topics, stop, letters)
        except (KafkaError, KafkaUnavailable, PublishFailed, OSError) as fault:
            counting.fault(fault)
            log.warning("begins again: %r", fault)
            beat()
            await pause(stop, PAUSE)


async def _one_life(
    settings: SourceSettings, topics: Sequence[str], stop: asyncio.Event, letters: str
) -> None:
    publisher = KafkaPublisher(settings.kafka)
    poster = Poster(settings.source_sink, timeout_seconds=settings.source_timeout_seconds)
    source = Source(settings, poster, DeadLetters(publisher, letters), stop)
    await publisher.start()
    try:
        await consume(settings, settings.source_group, topics, source.deliver, stop)
    finally:
        await publisher.stop()
        poster.close()


class DeadLetters:
    """Where an event goes that nobody takes."""

    def __init__(self, publisher: KafkaPublisher, topic: str) -> None:
        self._publisher = publisher
        self._topic = topic

    async def add(self, event: Event) -> None:
        """Return when Kafka has it; raises PublishFailed.

        What is too large for the topic leaves its data behind, and what else it says at length:
        they stand in the partner's topic, and must hold nobody up there.
        """
        try:
            await self._publisher.publish_record(self._topic, *event.record())
        except TooLarge:
            left = event.in_short().with_attributes({FAILURE[3]: "too_large"})
            await self._publisher.publish_record(self._topic, *left.record())


class Source:
    """Delivers records, each until it was taken or is a dead letter."""

    def __init__(
        self, settings: SourceSettings, poster: Poster, letters: DeadLetters, stop: asyncio.Event
    ) -> None:
        self._settings = settings
        self._poster = poster
        self._letters = letters
        self._stop = stop
        self._type = settings.source_type
        self._events = of_this_process().counter("quire_source_events_total")
        self._address = f"/apis/v1/namespaces/local/kafkasources/{settings.source_name}"

    async def deliver(self, record: Taken) -> None:
        """Return when it was taken, or is a dead letter, or not wanted; raises Stopped,
        PublishFailed."""
        event = delivered(record, self._address)
        if self._type not in ("", event.attributes["type"]):
            return
        tries = self._settings.source_retries
        wait = self._settings.source_backoff_seconds
        while (failure := await self._poster.post(event)) is not None:
            if not failure.may_pass or tries <= 0:
                break
            log.info("%s waits: %d %s", _place(record), failure.code, failure.reason)
            tries, wait = tries - 1, 2 * wait  # the first pause is doubled too, as with Knative
            if await pause(self._stop, wait):
                raise Stopped
        else:
            self._events.labels(record.topic, "taken").inc()
            return
        log.warning("%s is a dead letter: %d %s", _place(record), failure.code, failure.reason)
        await self._letters.add(failed(event, self._settings.source_sink, *failure))
        self._events.labels(record.topic, "dead_letter").inc()


def _place(record: Taken) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
