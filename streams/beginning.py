"""What a worker waits for before it begins: a Kafka that answers.

Faust gives up when it finds none, and a process that dies again and again is started ever more
rarely: it would still be waiting for its turn when Kafka has long been back.
"""

import asyncio
import logging

from bus import topics
from streams.lifecycle import beat, pause

FIRST_WAIT = 0.2
LONGEST_WAIT = 2.0

log = logging.getLogger("quire.beginning")


async def until_kafka_answers(bootstrap: str, topic: str, stop: asyncio.Event) -> None:
    """Return when it does, or when `stop` is set."""
    wait = FIRST_WAIT
    while not stop.is_set():
        beat()
        try:
            await topics.partition_counts(bootstrap, [topic])
        except topics.KafkaUnavailable as reason:
            log.warning("waits for Kafka: %s", reason)
        else:
            return
        await pause(stop, wait)
        wait = min(LONGEST_WAIT, wait * 2)
