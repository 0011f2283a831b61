"""What the tests of relay, sweeper and timers share: topics, a log, and a stand-in for workers."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.batches import Place
from bus.message import Message
from bus.topics import partition_counts
from domain.catalog import CONTEXTS
from domain.message import Event
from store import log
from store.chain import link
from store.codec import encode
from store.connect import AsyncConnection, connect
from streams.reactions import Routes, commands_of, fact_of
from streams.relay import relay
from streams.settings import Settings
from tests.integration.facts import START, life, record

ALL_KINDS = 0


@dataclass
class World:
    """One test's topics, with the module's database behind them."""

    settings: Settings
    routes: Routes
    conn: AsyncConnection
    kafka: str
    begin: int

    @classmethod
    async def make(
        cls,
        dsn: str,
        kafka: str,
        topics: Callable[[str, int], Awaitable[str]],
        *,
        sweep_after: float = 60,
        partitions: int = 3,
    ) -> "World":
        commands = {context: await topics(context, partitions) for context in CONTEXTS}
        settings = Settings.model_validate(
            {"postgres_dsn": dsn, "kafka": kafka, "sweep_after_seconds": sweep_after}
        )
        conn = await connect(dsn, name="test")
        routes = Routes(await topics("events", partitions), commands)
        return cls(settings, routes, conn, kafka, await log.head(conn))

    async def orders(self, count: int) -> int:
        """Record the whole lives of so many orders; gives the head."""
        for _ in range(count):
            await record(self.conn, life(str(uuid4())))
        return await log.head(self.conn)

    async def facts(self) -> list[log.Recorded]:
        """What was recorded since this world began."""
        return await log.tail(self.conn, self.begin, 1_000_000)

    async def expected(self) -> tuple[list[Message], list[Message]]:
        """The facts and the commands that must come of them, in log order."""
        since = dict.fromkeys(await self.kinds(), ALL_KINDS)
        facts = await self.facts()
        news = [message for fact in facts if (message := fact_of(fact))]
        return news, [command for fact in facts for command in commands_of(fact, since)]

    async def kinds(self) -> list[str]:
        cursor = await self.conn.execute("select kind from command_kind")
        return [row[0] for row in await cursor.fetchall()]

    async def position(self, name: str = "relay") -> int:
        cursor = await self.conn.execute("select position from checkpoint where name = %s", (name,))
        row = await cursor.fetchone()
        return row[0] if row else 0

    async def relayed(self, position: int) -> None:
        """Wait until the relay has passed this position."""
        await until(lambda: self._passed("relay", position))

    async def done(self, position: int) -> None:
        """Wait until the sweeper's done point has passed this position."""
        await until(lambda: self._passed("sweeper", position))

    async def _passed(self, name: str, position: int) -> bool:
        return await self.position(name) >= position

    async def read(self, topic: str, after: dict[Place, int] | None = None) -> list["Read"]:
        return await read_all(self.kafka, [topic], after)

    async def commands(self) -> list["Read"]:
        return await read_all(self.kafka, list(self.routes.commands.values()))

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Event]:
        """A relay on this loop."""
        stop = asyncio.Event()
        task = asyncio.create_task(relay(self.settings, stop, self.routes))
        try:
            yield stop
        finally:
            stop.set()
            await task

    async def process(self) -> Process:
        """A relay in a process of its own."""
        environment = {
            **os.environ,
            "QUIRE_POSTGRES_DSN": self.settings.postgres_dsn.get_secret_value(),
            "QUIRE_KAFKA": self.kafka,
            "QUIRE_SWEEP_AFTER_SECONDS": str(self.settings.sweep_after_seconds),
        }
        routes = json.dumps({"facts": self.routes.facts, "commands": dict(self.routes.commands)})
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.relay_process", routes,
            env=environment, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def work(self, *, skip: Iterable[UUID] = (), only: str | None = None) -> list[UUID]:
        """Handle all that the topics hold, as workers do; gives what was left for its missing
        predecessor. `skip` is dropped unseen; `only` one context works."""
        skipped, left = set(skip), list[UUID]()
        for context, topic in self.routes.commands.items():
            if only not in (None, context):
                continue
            for read in await read_all(self.kafka, [topic], await self._fences(topic)):
                if read.message.id not in skipped:
                    left.extend(await self._handle(context, read))
                await self._move_fence(context, read)
        return left

    async def _handle(self, context: str, read: "Read") -> list[UUID]:
        prev = read.message.prev
        if prev is not None:
            known = await self.conn.execute("select from outcome where command_id = %s", (prev,))
            if known.rowcount == 0:
                await self.conn.execute("notify quire_sweep")
                return [read.message.id]
        await self.conn.execute(
            "insert into outcome (command_id, result) values (%s, 'applied')"
            " on conflict do nothing",
            (read.message.id,),
        )
        return []

    async def _move_fence(self, context: str, read: "Read") -> None:
        await self.conn.execute(
            "insert into fence (processor, topic, partition, version, next_offset)"
            " values (%s, %s, %s, 1, %s) on conflict (processor, topic, partition)"
            " do update set version = fence.version + 1, next_offset = excluded.next_offset",
            (f"quire-{context}", *read.place, read.offset + 1),
        )

    async def _fences(self, topic: str) -> dict[Place, int]:
        cursor = await self.conn.execute(
            "select partition, next_offset from fence where topic = %s", (topic,)
        )
        return {(topic, row[0]): row[1] for row in await cursor.fetchall()}


@dataclass(frozen=True)
class Read:
    """A record as it stands on Kafka."""

    place: Place
    offset: int
    headers: dict[str, bytes]
    key: bytes
    value: bytes
    message: Message


async def read_all(
    kafka: str, topics: list[str], after: dict[Place, int] | None = None
) -> list["Read"]:
    """Everything that stands in these topics from those offsets on, partition by partition."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, fetch_max_wait_ms=20
    )
    await consumer.start()
    found: list[Read] = []
    try:
        counts = await partition_counts(kafka, topics)
        places = [TopicPartition(topic, n) for topic in topics for n in range(counts[topic])]
        ends = await consumer.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        for tp in places:
            begin = max(starts[tp], (after or {}).get((tp.topic, tp.partition), 0))
            if begin >= ends[tp]:
                continue
            consumer.assign([tp])
            consumer.seek(tp, begin)
            while begin < ends[tp]:
                record = await consumer.getone()
                begin = record.offset + 1
                message = Message.from_record(record.key, record.value, record.headers)
                place, headers = (tp.topic, tp.partition), dict(record.headers)
                found.append(Read(place, record.offset, headers, record.key, record.value, message))
    finally:
        await consumer.stop()
    return found


def within(seconds: float) -> asyncio.Timeout:
    """A time-out that is for failing only: mutants cut it short, a busy machine gets twice that."""
    return asyncio.timeout(seconds * float(os.environ.get("QUIRE_TEST_PATIENCE", "2")))


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait for a condition, for `seconds` as `within` has them."""
    async with within(seconds):
        while not await holds():
            await asyncio.sleep(0.02)


async def record_as(
    conn: AsyncConnection, event: Event, *, imported: bool = False, type_: str | None = None
) -> int:
    """Append one fact of a stream that has none yet, imported or under another name."""
    time = START + timedelta(hours=1)
    identity = (event.stream, 1, type_ or event.type, uuid4(), time, time, event.stream)
    rest = (uuid4(), "test", imported)
    data = encode(event)
    new = log.NewEvent(*identity, *rest, data.decode(), link(b"", *identity, *rest, data))
    async with conn.transaction():
        await conn.execute(log.APPEND, log.columns([new]))
        await conn.execute("notify quire_log")
    return await log.head(conn)
