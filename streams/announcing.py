"""Sending commands until they have an outcome, without taking a lag for a loss."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from bus.batches import BatchSender, Place, Record
from bus.partition import partition_of
from bus.topics import Offsets
from store.connect import AsyncConnection
from store.relaying import missing
from streams.reading import Reading

LONGEST_WAIT = 600.0


class Outgoing(NamedTuple):
    """A command without an outcome; `sent_before` when Kafka acknowledged it to somebody else."""

    id: UUID
    topic: str
    record: Record
    sent_before: bool


@dataclass(frozen=True)
class Sending:
    """The way to Kafka, and the number of partitions of each command topic."""

    sender: BatchSender
    offsets: Offsets
    counts: Mapping[str, int]

    def place_of(self, outgoing: Outgoing) -> Place:
        return outgoing.topic, partition_of(outgoing.record.key, self.counts[outgoing.topic])

    def places(self) -> list[Place]:
        return [(topic, n) for topic, count in self.counts.items() for n in range(count)]


@dataclass
class _Announced:
    """It stands before `end` of its partition; nobody looks again before `look_at`."""

    end: int
    look_at: float
    wait: float


class Announcements:
    """What was announced and has no outcome yet. Forgets with its process: then it repeats."""

    def __init__(self, sending: Sending, after_seconds: float) -> None:
        self._sending = sending
        self._after = after_seconds
        self._announced: dict[UUID, _Announced] = {}

    async def announce(self, conn: AsyncConnection, wanted: Sequence[Outgoing]) -> int:
        """Send what is new, and what got lost; says how many. `wanted` is all without outcome."""
        known = self._announced
        self._announced = {one.id: known[one.id] for one in wanted if one.id in known}
        now = time.monotonic()
        new = [one for one in wanted if one.id not in known]
        await self._assume([one for one in new if one.sent_before], now)
        again = [one for one in wanted if one.id in known and known[one.id].look_at <= now]
        going = [one for one in new if not one.sent_before]
        going.extend(await self._lost(conn, again) if again else ())
        await self._send(going, now)
        return len(going)

    async def _assume(self, others: Sequence[Outgoing], now: float) -> None:
        """What somebody else sent stands before the end as it is now."""
        if others:
            extents = await self._sending.offsets.extents(self._sending.places())
            for one in others:
                end = extents[self._sending.place_of(one)].end
                self._announced[one.id] = _Announced(end, now, self._after)

    async def _lost(self, conn: AsyncConnection, late: Sequence[Outgoing]) -> list[Outgoing]:
        reading = await Reading.now(conn, self._sending.offsets, self._sending.places())
        gone = await missing(conn, [one.id for one in late])
        return [
            one
            for one in late
            if one.id in gone
            and reading.is_past(self._sending.place_of(one), self._announced[one.id].end)
        ]

    async def _send(self, going: Sequence[Outgoing], now: float) -> None:
        records: dict[Place, list[Record]] = {}
        for one in going:
            records.setdefault(self._sending.place_of(one), []).append(one.record)
        ends = await self._sending.sender.send(records)
        for one in going:
            before = self._announced.get(one.id)
            wait = self._after if before is None else min(LONGEST_WAIT, 2 * before.wait)
            end = ends[self._sending.place_of(one)]
            self._announced[one.id] = _Announced(end, now + wait, wait)
