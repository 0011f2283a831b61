"""The sweeper: finds commands that a topic lost, and sends the relay back to send them again.

PROTOCOL 9. The done point: every fact up to it has all its outcomes. A command without an outcome
is lost only when its partition was read past what was sent by then; else it lags. A set-back goes
to the done point, never beyond it, for what is lost further on may not be known yet.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from bus.topics import Offsets
from store import checkpoints, relaying
from store.connect import AsyncConnection
from store.listen import wait
from store.log import tail
from streams.reactions import commands_of
from streams.reading import Reading
from streams.relay_life import RelayLife
from streams.window import Chunk, Sent
from telemetry.registry import of_this_process

SWEEPER_CHECKPOINT = "sweeper"
READ_AGAIN = 5_000
ASK_AT_ONCE = 20_000
ALARM_AFTER = 6  # times the sweeper's N seconds

log = logging.getLogger("quire.sweeper")


class Sweeper:
    """Looks every now and then, and when a worker misses a predecessor."""

    def __init__(
        self, conn: AsyncConnection, offsets: Offsets, life: RelayLife, after_seconds: float
    ) -> None:
        self._conn = conn
        self._offsets = offsets
        self._life = life
        self._window = life.window
        self._after = after_seconds
        self._saved = 0
        self._moved_at = time.monotonic()
        self._alarmed_at = 0.0
        self._went_back_at = -after_seconds
        figures = of_this_process()
        self._waiting = figures.gauge("quire_sweeper_waiting_commands")
        self._set_backs = figures.counter("quire_sweeper_set_backs_total")
        self.set_backs = 0

    async def sweep(self) -> None:
        """Look, for ever."""
        self._saved = (await checkpoints.read(self._conn, SWEEPER_CHECKPOINT)).position
        called = False
        while True:
            await self._look(0 if called else self._after)
            await asyncio.sleep(self._after / 20)  # however many call, one look answers them
            called = await wait(self._conn, self._after / 5)

    async def _look(self, age: float) -> None:
        await self._read_again()
        before = time.monotonic() - age
        old = [chunk for chunk in self._window.chunks if chunk.at <= before]
        await self._forget_settled(old)
        lost: list[Sent] = []
        if any(chunk.waiting for chunk in old):
            places = self._life.command_places()
            reading = await Reading.now(self._conn, self._offsets, places)
            await self._forget_settled(old)
            lost = [
                sent
                for chunk in old
                for sent in chunk.waiting
                if reading.is_past(sent.place, chunk.ends[sent.place])
            ]
        self._window.settle()
        self._waiting.set(sum(len(chunk.waiting) for chunk in self._window.chunks))
        if lost and time.monotonic() - self._went_back_at >= self._after / 2:
            await self._set_back(lost)
        await self._save(old)

    async def _forget_settled(self, chunks: Sequence[Chunk]) -> None:
        """Keep of each chunk what still has no outcome."""
        begin = 0
        while begin < len(chunks):
            end, ids = begin, [sent.id for sent in chunks[begin].waiting]
            while (end := end + 1) < len(chunks) and len(ids) < ASK_AT_ONCE:
                ids.extend(sent.id for sent in chunks[end].waiting)
            missing = await relaying.missing(self._conn, ids)
            for chunk in chunks[begin:end]:
                chunk.waiting = [sent for sent in chunk.waiting if sent.id in missing]
            begin = end

    async def _read_again(self) -> None:
        """Fill the window with what an earlier life sent, or what found no room in it."""
        window, life = self._window, self._life
        while window.end < life.position and not window.full:
            to = life.position
            extents = await self._offsets.extents(life.command_places())
            ends = {place: extent.end for place, extent in extents.items()}
            facts = [fact for fact in await tail(self._conn, window.end, READ_AGAIN)
                     if fact.position <= to]  # fmt: skip
            sent = [
                Sent(fact.position, command.id, life.place_of(command))
                for fact in facts
                for command in commands_of(fact, life.since)
            ]
            reached = facts[-1].position if len(facts) == READ_AGAIN else to
            window.add(window.end, Chunk(reached, time.monotonic(), sent, ends))

    async def _set_back(self, lost: Sequence[Sent]) -> None:
        first = lost[0]
        self.set_backs += 1
        self._set_backs.inc()
        log.warning(
            "%d commands were lost, the first is %s of the fact at %d, sent to %s/%d:"
            " the relay goes back from %d to %d",
            len(lost), first.id, first.position, *first.place,
            self._life.position, self._window.done,
        )  # fmt: skip
        await self._life.set_back(self._window.done)
        self._went_back_at = time.monotonic()

    async def _save(self, old: Sequence[Chunk]) -> None:
        now, done = time.monotonic(), self._window.done
        if done != self._saved:
            await checkpoints.move(self._conn, SWEEPER_CHECKPOINT, self._saved, done)
            self._saved, self._moved_at, self._alarmed_at = done, now, 0.0
        elif not any(chunk.waiting for chunk in old):
            self._moved_at = now
        patience = self._after * ALARM_AFTER
        if now - max(self._moved_at, self._alarmed_at) >= patience:
            self._alarmed_at = now
            await self._alarm(old, now - self._moved_at)

    async def _alarm(self, old: Sequence[Chunk], seconds: float) -> None:
        first = next(sent for chunk in old for sent in chunk.waiting)
        topic, partition = first.place
        log.error(
            "not done for %d s: the command %s of the fact at %d waits in %s/%d;"
            " is its worker running?",
            seconds, first.id, first.position, topic, partition,
        )  # fmt: skip
        state = {
            "waiting_since": datetime.now(UTC).timestamp() - seconds,
            "position": first.position,
            "command": first.id,
            "topic": topic,
            "partition": partition,
        }
        encoded = msgspec.json.encode(state)
        await checkpoints.move(self._conn, SWEEPER_CHECKPOINT, self._saved, self._saved, encoded)
