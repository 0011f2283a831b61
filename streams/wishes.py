"""Wishes that API and intake wrote down and that have no outcome: published again when lost.

API and intake scale to zero and run no loops, so the timers process does this for them.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from bus.batches import Record
from store import checkpoints
from store.connect import AsyncConnection
from store.idempotency import Wish, without_outcome
from store.timers import now as database_now
from streams.announcing import Announcements, Outgoing
from streams.counting import waits_since
from telemetry.registry import of_this_process

WISHES_CHECKPOINT = "wishes"
AT_ONCE = 5_000
SLACK = timedelta(minutes=1)  # a row may become visible so long after its time
SAVE_EVERY = timedelta(seconds=5)

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
log = logging.getLogger("quire.wishes")


async def publish_lost_wishes(
    conn: AsyncConnection, announcements: Announcements, after_seconds: float
) -> None:
    """Look again and again at the wishes older than so many seconds.

    The checkpoint is a time: every wish up to it has its outcome.
    """
    figures = of_this_process()
    waiting = figures.gauge("quire_wishes_waiting")
    again = figures.counter("quire_wishes_published_again_total")
    saved = (await checkpoints.read(conn, WISHES_CHECKPOINT)).position
    while True:
        now = await database_now(conn)
        before = now - timedelta(seconds=after_seconds)
        done = _1970 + saved * _MILLISECOND
        wishes = await without_outcome(conn, done, before, AT_ONCE)
        waiting.set(len(wishes))
        waits_since("quire_wishes_oldest_seconds", wishes[0].created_at if wishes else None)
        sent = await announcements.announce(conn, [_outgoing(wish) for wish in wishes])
        again.inc(sent)
        if sent:
            log.warning("published %d wishes again", sent)
        reached = min([before - SLACK, *(wish.created_at - _MILLISECOND for wish in wishes[:1])])
        if reached - done >= SAVE_EVERY:
            position = (reached - _1970) // _MILLISECOND
            await checkpoints.move(conn, WISHES_CHECKPOINT, saved, position)
            saved = position
        await asyncio.sleep(after_seconds / 4)


def _outgoing(wish: Wish) -> Outgoing:
    record = Record(wish.record_key.encode(), wish.body, wish.headers)
    return Outgoing(wish.command_id, wish.topic, record, sent_before=wish.state == "answered")
