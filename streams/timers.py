"""The timers process: announces what is due, publishes again wishes that got lost, forgets those
that are old, keeps the parts of outcome ready.

PROTOCOL 11 and 14. A due timer waits until the relay has passed all that was recorded before: after
an outage nothing may expire that was paid before. Several of these processes do no harm.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from bus.batches import BatchSender, Record
from bus.message import TIMERS, Message
from bus.publisher import PublishFailed
from bus.topics import KafkaUnavailable, offsets
from gateways.clock import Clock, this_host
from store import checkpoints, log, timers
from store.connect import AsyncConnection, connect
from store.errors import Stale, Unavailable, Unfit, translated
from store.parts import drop_old, make_ready
from streams import counting, standings
from streams.announcing import Announcements, Outgoing, Sending
from streams.forgetting import forget_what_is_old
from streams.lifecycle import beat, pause, ready, stopping, together
from streams.partitions import agreed_counts, still_agree
from streams.reactions import ROUTES, Routes
from streams.relay_life import RELAY_CHECKPOINT
from streams.settings import Settings
from streams.wishes import publish_lost_wishes
from telemetry.registry import of_this_process

AT_ONCE = 5_000
POLL = 0.2
RELAY_POLL = 0.05
WATCH_EVERY = 1.0
PARTS_EVERY = 3600.0
PARTS_AGAIN = 30.0
PAUSE = 1.0
FAULTS = (PublishFailed, KafkaUnavailable, Unavailable, Stale, Unfit, checkpoints.CheckpointMoved)

logger = logging.getLogger("quire.timers")


async def run(settings: Settings) -> None:
    """Announce until SIGTERM."""
    await announce(settings, stopping())


async def announce(
    settings: Settings, stop: asyncio.Event, routes: Routes = ROUTES, clock: Clock = this_host
) -> None:
    """Begin again after each fault, until `stop` is set."""
    standings.tell(settings.postgres_dsn.get_secret_value())
    while not stop.is_set():
        try:
            with translated():
                await _one_life(settings, stop, routes, clock)
        except FAULTS as fault:
            counting.fault(fault)
            logger.warning("begins again: %s", fault)
            beat()
            await pause(stop, PAUSE)


async def _one_life(settings: Settings, stop: asyncio.Event, routes: Routes, clock: Clock) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    sender = BatchSender(settings.kafka)
    try:
        await sender.start()
        async with (
            await connect(dsn, name="quire timers", index_only=True) as conn,
            await connect(dsn, name="quire wishes", index_only=True) as second,
            offsets(settings.kafka) as places,
        ):
            counts = await agreed_counts(conn, sender.partitions, list(routes.commands.values()))
            sending = Sending(sender, places, counts)
            after = settings.sweep_after_seconds
            ready()
            await together(
                _until(stop),
                _announce_due(conn, Announcements(sending, after), routes),
                publish_lost_wishes(second, Announcements(sending, after), after),
                _watch(sender, counts),
                _keep_parts(dsn, clock),
                forget_what_is_old(
                    dsn,
                    timedelta(days=settings.answer_days),
                    timedelta(days=settings.parked_history_days),
                ),
            )
    finally:
        await sender.stop()


async def _announce_due(
    conn: AsyncConnection, announcements: Announcements, routes: Routes
) -> None:
    figures = of_this_process()
    waiting = figures.gauge("quire_timers_due")
    announced = figures.counter("quire_timers_announced_total")
    while True:
        beat()
        at, due = await timers.now(conn), list[timers.Timer]()
        if await timers.any_due(conn, at):
            _tell_late(await timers.due(conn, list(routes.commands), at, 1))
            # The head is read after the time: all that was recorded before it is at or below.
            await _relay_passes(conn, await log.head(conn))
            due = await timers.due(conn, list(routes.commands), at, AT_ONCE)
        waiting.set(len(due))
        _tell_late(due)
        if due:
            going = [_outgoing(timer, routes) for timer in due]
            announced.inc(await announcements.announce(conn, going))
        await asyncio.sleep(POLL)


def _tell_late(due: Sequence[timers.Timer]) -> None:
    counting.waits_since("quire_timers_late_seconds", due[0].due_at if due else None)


async def _relay_passes(conn: AsyncConnection, head: int) -> None:
    while (await checkpoints.read(conn, RELAY_CHECKPOINT)).position < head:
        beat()
        await asyncio.sleep(RELAY_POLL)


def _outgoing(timer: timers.Timer, routes: Routes) -> Outgoing:
    message = Message(
        id=timer.id,
        type=timer.kind,
        source=TIMERS,
        time=timer.due_at,
        key=timer.key,
        subject=timer.stream,
        correlation=timer.correlation,
        causation=timer.causation,
        data=timer.command.encode(),
    )
    record = Record(message.key.encode(), message.data, message.headers())
    return Outgoing(timer.id, routes.commands[timer.context], record, sent_before=False)


async def _watch(sender: BatchSender, counts: dict[str, int]) -> None:
    while True:
        await asyncio.sleep(WATCH_EVERY)
        await still_agree(sender.partitions, counts)


async def _keep_parts(dsn: str, clock: Clock) -> None:
    """Add and drop parts of outcome; what a busy table does not allow now is tried again."""
    while True:
        try:
            with translated():
                async with await connect(dsn, name="quire parts") as conn:
                    added = await make_ready(conn, clock().date())
                    dropped = await drop_old(conn)
        except Unavailable as busy:
            logger.info("the parts of outcome must wait: %s", busy)
            await asyncio.sleep(PARTS_AGAIN)
            continue
        if added or dropped:
            logger.info("parts of outcome: %d added, %d dropped", len(added), len(dropped))
        await asyncio.sleep(PARTS_EVERY)


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
