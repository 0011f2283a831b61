"""The relay process: one life after the other, one process at a time; the sweeper lives with it.

PROTOCOL 8 to 10. Whatever fails ends a life: its producer is closed, and the next one begins at the
checkpoint. Repeats are harmless, holes are not.
"""

import asyncio
import logging
import time

from bus.batches import BatchSender
from bus.publisher import PublishFailed
from bus.topics import KafkaUnavailable, offsets
from domain.catalog import KINDS
from store import checkpoints, relaying
from store.checkpoints import CheckpointMoved
from store.codec import BadData, UnknownType
from store.connect import AsyncConnection, connect
from store.errors import Stale, Unavailable, translated
from store.listen import LOG, SWEEP, listen
from streams import counting
from streams.lifecycle import CannotGoOn, beat, pause, ready, stopping, together
from streams.partitions import agreed_counts
from streams.reactions import ROUTES, Routes
from streams.relay_life import RELAY_CHECKPOINT, RelayLife
from streams.settings import Settings
from streams.sweeper import SWEEPER_CHECKPOINT, Sweeper
from streams.window import Window

STANDBY_POLL = 0.5
LONGEST_PAUSE = 5.0
LAST_WORDS = 3.0
FAULTS = (PublishFailed, KafkaUnavailable, Unavailable, Stale, CheckpointMoved)

log = logging.getLogger("quire.relay")


async def run(settings: Settings) -> None:
    """Relay until SIGTERM."""
    await relay(settings, stopping())


async def relay(settings: Settings, stop: asyncio.Event, routes: Routes = ROUTES) -> None:
    """Live, and live again after each fault, until `stop` is set."""
    failures = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            with translated():
                await _one_life(settings, stop, routes)
        except FAULTS as fault:
            counting.fault(fault)
            failures = 1 if time.monotonic() - began > 30 else failures + 1
            seconds = pause_after(failures)
            log.warning("begins again in %.1f s: %s", seconds, fault)
            beat()
            await pause(stop, seconds)
        except UnknownType as unknown:
            raise CannotGoOn(f"the relay knows no fact of type {unknown}") from unknown
        except BadData as bad:
            raise CannotGoOn(f"the relay cannot read a fact: {bad}") from bad


def pause_after(failures: int) -> float:
    """Seconds until the next life; an outage may last for days."""
    return min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))


async def _one_life(settings: Settings, stop: asyncio.Event, routes: Routes) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    async with (
        await connect(dsn, name="quire relay") as conn,
        await connect(dsn, name="quire sweeper", index_only=True) as second,
    ):
        if not await _has_the_lock(conn, stop):
            return
        counting.leads("relay", now=True)
        for each in (conn, second):
            await relaying.do_not_wait_for_disk(each)
        sender = BatchSender(settings.kafka)
        try:
            await sender.start()
            async with offsets(settings.kafka) as places:
                life = await _begin(conn, sender, routes)
                sweeper = Sweeper(second, places, life, settings.sweep_after_seconds)
                await listen(conn, LOG)
                await listen(second, SWEEP)
                ready()
                await together(
                    _until(stop), life.tail_the_log(), life.watch_partitions(), sweeper.sweep()
                )
        finally:
            await _close(sender, stop)


async def _begin(conn: AsyncConnection, sender: BatchSender, routes: Routes) -> RelayLife:
    counts = await agreed_counts(conn, sender.partitions, routes.topics)
    checkpoint = await checkpoints.read(conn, RELAY_CHECKPOINT)
    # A new kind counts from where the relay stands, not from the head: what was not relayed yet is
    # news to every kind.
    since = await relaying.kinds_since(conn, KINDS, checkpoint.position)
    done = (await checkpoints.read(conn, SWEEPER_CHECKPOINT)).position
    window = Window(done=min(done, checkpoint.position), end=min(done, checkpoint.position))
    log.info("begins after position %d; done up to %d", checkpoint.position, window.done)
    return RelayLife(conn, sender, routes, counts, since, checkpoint, window)


async def _has_the_lock(conn: AsyncConnection, stop: asyncio.Event) -> bool:
    if await relaying.hold_lock(conn):
        return True
    log.info("another relay holds the lock; standing by")
    counting.leads("relay", now=False)
    ready()
    while not await relaying.hold_lock(conn):
        beat()
        if await pause(stop, STANDBY_POLL):
            return False
    log.info("holds the lock now")
    return True


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _close(sender: BatchSender, stop: asyncio.Event) -> None:
    """Wait until the producer has given up what it holds; not for long when all ends anyway."""
    try:
        async with asyncio.timeout(LAST_WORDS if stop.is_set() else None):
            await sender.stop()
    except TimeoutError:
        log.warning("left with records unacknowledged; they are sent again at the next start")
