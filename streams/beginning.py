"""What a process waits for before it begins: servers that answer, and are as it needs them.

Faust gives up when it finds no Kafka, and a process that dies again and again is started ever more
rarely: it would still be waiting for its turn when Kafka has long been back. What no waiting mends
(a wrong password, another schema, a missing topic) ends it for good.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from bus import topics
from store import schema
from store.errors import LoginRefused, SchemaDiffers, Unavailable
from store.tasks import end
from streams.lifecycle import CannotGoOn, beat, pause, stopping
from streams.partitions import login_refused, missing

FIRST_WAIT = 0.2
LONGEST_WAIT = 2.0
LOOK_SECONDS = 5.0
FIRST_LOOK_SECONDS = 1.0

log = logging.getLogger("quire.beginning")


async def begin(
    process: Callable[[], Coroutine[Any, Any, None]],
    dsn: str,
    kafka: str = "",
    names: Sequence[str] = (),
    *,
    waits: bool = True,
) -> None:
    """Run the process once Postgres has our schema and Kafka has the topics `names`.

    One that does not wait, since it has to tell others how it is, begins after a second all the
    same and is ended later if need be. Raises CannotGoOn, where only a person can help.
    """
    stop = stopping()
    looking = asyncio.create_task(_until_all_fits(dsn, kafka, names, stop))
    stopped = asyncio.create_task(stop.wait())
    try:
        seconds = None if waits else FIRST_LOOK_SECONDS
        await asyncio.wait({looking, stopped}, timeout=seconds, return_when="FIRST_COMPLETED")
        if looking.done():
            looking.result()
        if stop.is_set():
            return
        if looking.done():
            await process()
        else:
            await _beside(looking, process)
    finally:
        stopped.cancel()
        await end(looking)


async def _beside(
    looking: asyncio.Task[None], process: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    working = asyncio.create_task(process())
    try:
        await asyncio.wait({looking, working}, return_when="FIRST_COMPLETED")
        if looking.done():
            looking.result()
        await working
    finally:
        await end(working)


async def _until_all_fits(dsn: str, kafka: str, names: Sequence[str], stop: asyncio.Event) -> None:
    await until_postgres_fits(dsn, stop)
    if names:
        await until_kafka_answers(kafka, names, stop)


async def until_postgres_fits(dsn: str, stop: asyncio.Event) -> None:
    """Return when it answers and has our schema, or when `stop` is set; raises CannotGoOn."""
    wait = FIRST_WAIT
    while not stop.is_set():
        beat()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await schema.look(dsn)
        except LoginRefused as reason:
            raise CannotGoOn(f"{reason.code}: {reason}; mend QUIRE_POSTGRES_DSN") from reason
        except SchemaDiffers as reason:
            raise CannotGoOn(f"{reason.code}: {reason}") from reason
        except (Unavailable, TimeoutError) as reason:
            log.warning("waits for Postgres: %s", reason or "no answer")
        else:
            return
        await pause(stop, wait)
        wait = min(LONGEST_WAIT, wait * 2)


async def until_kafka_answers(bootstrap: str, names: Sequence[str], stop: asyncio.Event) -> None:
    """Return when it does, or when `stop` is set; raises CannotGoOn when a topic is missing, or
    when it does not let us in."""
    wait = FIRST_WAIT
    while not stop.is_set():
        beat()
        try:
            counts = await topics.partition_counts(bootstrap, names)
        except topics.KafkaRefuses as reason:
            raise login_refused(reason) from reason
        except topics.KafkaUnavailable as reason:
            log.warning("waits for Kafka: %s", reason)
        else:
            if gone := [name for name in names if not counts.get(name)]:
                raise missing(gone)
            return
        await pause(stop, wait)
        wait = min(LONGEST_WAIT, wait * 2)
