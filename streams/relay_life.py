"""One life of the relay: from the checkpoint on, chunk by chunk, until something fails.

It moves its checkpoint only after all acknowledgements of a chunk, by compare and set, and on the
connection that holds the lock.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec.structs import replace

from bus.batches import BatchSender, Place, Record
from bus.message import Message
from bus.partition import partition_of
from store.checkpoints import Checkpoint, move
from store.connect import AsyncConnection
from store.listen import wait
from store.log import Recorded, tail
from streams.lifecycle import beat
from streams.partitions import still_agree
from streams.reactions import Routes, commands_of, fact_of
from streams.window import Chunk, Sent, Window
from telemetry.registry import of_this_process

RELAY_CHECKPOINT = "relay"
CHUNK = 1_000
SLOW_POLL = 0.2
# A record batch costs the broker as much as a dozen records, so wait for company: the longer, the
# more there is.
BREATH_A_FACT = 0.0001
SHORTEST_BREATH = 0.02
LONGEST_BREATH = 0.05
WATCH_EVERY = 1.0

log = logging.getLogger("quire.relay")


class RelayLife:
    """`position` is the last fact of which everything is acknowledged."""

    def __init__(
        self,
        conn: AsyncConnection,
        sender: BatchSender,
        routes: Routes,
        counts: dict[str, int],
        since: Mapping[str, int],
        checkpoint: Checkpoint,
        window: Window,
    ) -> None:
        self._conn = conn
        self._sender = sender
        self._counts = counts
        self._last = _read_state(checkpoint.state)
        self._set_back: tuple[int, asyncio.Event] | None = None
        figures = of_this_process()
        self._facts = figures.counter("quire_relay_facts_total")
        self._commands = figures.counter("quire_relay_commands_total")
        self._seconds = figures.histogram("quire_relay_chunk_seconds")
        self.routes = routes
        self.since = since
        self.position = checkpoint.position
        self.window = window

    async def tail_the_log(self) -> None:
        """Relay what comes, for ever."""
        while True:
            beat()
            if self._set_back is not None:
                await self._go_back(*self._set_back)
            relayed = await self._relay_chunk()
            if not relayed:
                await wait(self._conn, SLOW_POLL)
            elif relayed < CHUNK:
                await asyncio.sleep(breath_after(relayed))

    async def watch_partitions(self) -> None:
        """Return never; raises CannotGoOn when a topic got more partitions under way."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            await still_agree(self._sender.partitions, self._counts)

    async def set_back(self, position: int) -> None:
        """Begin again after `position`; returns when the checkpoint stands there."""
        done = asyncio.Event()
        self._set_back = (position, done)
        await done.wait()

    def place_of(self, command: Message) -> Place:
        """The partition of a command."""
        topic = self.routes.of(command)
        return topic, partition_of(command.key.encode(), self._counts[topic])

    def command_places(self) -> list[Place]:
        """Every partition of every command topic."""
        return [
            (topic, partition)
            for topic in self.routes.commands.values()
            for partition in range(self._counts[topic])
        ]

    async def _relay_chunk(self) -> int:
        """Relay the next facts; says how many."""
        at = time.perf_counter()
        facts = await tail(self._conn, self.position, CHUNK)
        if not facts:
            return 0
        began, last = self.position, dict(self._last)
        records, sent = self._composed(facts, last)
        ends = await self._sender.send(records)
        to = facts[-1].position
        await move(self._conn, RELAY_CHECKPOINT, began, to, _write_state(last))
        self.position, self._last = to, last
        self.window.add(began, Chunk(to, time.monotonic(), sent, ends))
        self._seconds.observe(time.perf_counter() - at)
        self._facts.inc(len(facts))
        self._commands.inc(len(sent))
        return len(facts)

    def _composed(
        self, facts: Sequence[Recorded], last: dict[Place, UUID]
    ) -> tuple[dict[Place, list[Record]], list[Sent]]:
        """The records of each partition, in log order; `last` moves on to the last commands."""
        records: dict[Place, list[Record]] = {}
        sent: list[Sent] = []
        for fact in facts:
            for command in commands_of(fact, self.since):
                place = self.place_of(command)
                chained = replace(command, prev=last.get(place))
                records.setdefault(place, []).append(_record(chained))
                last[place] = command.id
                sent.append(Sent(fact.position, command.id, place))
            news = fact_of(fact)
            if news is not None:
                topic = self.routes.facts
                place = topic, partition_of(news.key.encode(), self._counts[topic])
                records.setdefault(place, []).append(_record(news))
        return records, sent

    async def _go_back(self, position: int, done: asyncio.Event) -> None:
        if position < self.position:
            await move(self._conn, RELAY_CHECKPOINT, self.position, position)
            self.position = position
            self._last = {}  # what came before may be what was lost, so the first name none
            self.window.go_back(position)
        self._set_back = None
        done.set()


def breath_after(relayed: int) -> float:
    """Seconds until the next chunk, when this one was not all that fits into one."""
    return min(LONGEST_BREATH, max(SHORTEST_BREATH, relayed * BREATH_A_FACT))


def _record(message: Message) -> Record:
    return Record(message.key.encode(), message.data, message.headers())


def _write_state(last: Mapping[Place, UUID]) -> bytes:
    return msgspec.json.encode({f"{place[0]}/{place[1]}": last[place] for place in last})


def _read_state(state: bytes | None) -> dict[Place, UUID]:
    if state is None:
        return {}
    found = msgspec.json.decode(state, type=dict[str, UUID])
    return {_place(name): found[name] for name in found}


def _place(name: str) -> Place:
    topic, _, number = name.rpartition("/")
    return topic, int(number)
