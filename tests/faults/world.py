"""What the fault tests share: topics made anew, real processes, messages, and what must hold."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.protocol.admin import DeleteGroupsRequest
from msgspec.structs import replace
from pydantic import SecretStr

from bus.batches import BatchSender, Place, Record
from bus.message import BENCH, Message
from bus.partition import partition_of
from cli.audit import _paid  # pyright: ignore[reportPrivateUsage] one way to read the ledger
from cli.main import main as quire
from domain.catalog import TOPICS
from domain.ids import derive
from domain.message import Command, Line, Money
from domain.order.messages import PlaceOrder
from store import log
from store.codec import encode
from store.connect import AsyncConnection, connect
from store.verify import verify
from streams.reactions import ROUTES
from streams.settings import Settings
from tests.faults.forked import Child, command_line
from tests.faults.process import Process
from tests.integration.fresh import delete, make_anew
from tests.integration.relay_world import Read, read_all, until

PARTITIONS = 4
GROUPS = {topic: f"quire-{context}" for context, topic in TOPICS.items()}


@dataclass
class World:
    """One test's database, topics and processes."""

    dsn: str
    admin_dsn: str
    kafka: str
    path: Path
    conn: AsyncConnection
    processes: list[Process] = field(default_factory=list[Process])

    @classmethod
    @asynccontextmanager
    async def made(
        cls, dsn: str, admin_dsn: str, kafka: str, path: Path
    ) -> AsyncGenerator["World"]:
        conn = await connect(dsn, name="test")
        async with conn:
            world = cls(dsn, admin_dsn, kafka, path, conn)
            await world.make_anew([*ROUTES.topics])
            try:
                yield world
            finally:
                for process in world.processes:
                    await process.kill()
                    print(f"--- {process.log_file.name}\n{process.log[-1500:]}")  # if it fails
                await delete(kafka, ROUTES.topics)

    async def start(
        self,
        *words: str,
        dsn: str | None = None,
        main: Callable[[], None] = quire,
        **settings: object,
    ) -> Process:
        """Start `quire run <words>`; `settings` are QUIRE_* in lower case. Not ready yet."""
        name = f"{len(self.processes)}-{'-'.join(words).replace('/', '_')}"
        ready, log_file = self.path / f"{name}.ready", self.path / f"{name}.log"
        chosen: Mapping[str, object] = {
            "postgres_dsn": dsn or self.dsn,
            "kafka": self.kafka,
            "state_dir": self.path,
            "ready_file": ready,
            "session_timeout_seconds": 2,
            "sweep_after_seconds": 2,
            "carrier_paused": True,
            **settings,
        }
        environment = {f"QUIRE_{key.upper()}": str(value) for key, value in chosen.items()}
        log_file.touch()
        told = {**os.environ, **environment}
        child = Child(command_line, main, ("run", *words), log_file, told)
        process = Process(child, ready, log_file)
        self.processes.append(process)
        return process

    async def run(self, *names: str, **settings: object) -> list[Process]:
        """Start several at once and wait until all are ready: `worker order`, `relay`, ..."""
        started = [
            await self.start(*name.split(), dsn=None, main=quire, **settings) for name in names
        ]
        await asyncio.gather(*(process.ready() for process in started))
        return started

    def settings(self, **changes: object) -> Settings:
        values: dict[str, object] = {
            "postgres_dsn": SecretStr(self.dsn), "kafka": self.kafka, "state_dir": self.path,
            "sweep_after_seconds": 2, "session_timeout_seconds": 2, "carrier_paused": True,
        }  # fmt: skip
        return Settings.model_validate(values | changes)

    async def send(
        self, messages: Iterable[Message], *, to: Mapping[UUID, int] | None = None
    ) -> None:
        """Write commands to their topics in this order; `to` sends an id to another partition."""
        await self._send((ROUTES.of(message), message, to) for message in messages)

    async def send_to(self, context: str, messages: Iterable[Message]) -> None:
        """Write messages that are no commands of the catalog."""
        await self._send((TOPICS[context], message, None) for message in messages)

    async def _send(
        self, sending: Iterable[tuple[str, Message, Mapping[UUID, int] | None]]
    ) -> None:
        records: dict[Place, list[Record]] = {}
        for topic, message, to in sending:
            number = (to or {}).get(message.id, partition_of(message.key.encode(), PARTITIONS))
            place = (topic, number)
            row = Record(message.key.encode(), message.data, message.headers())
            records.setdefault(place, []).append(row)
        sender = BatchSender(self.kafka)
        await sender.start()
        try:
            await sender.send(records)
        finally:
            await sender.stop()

    async def facts(self) -> list[log.Recorded]:
        return await log.tail(self.conn, 0, 1_000_000)

    async def count(self, statement: str, *values: object) -> int:
        cursor = await self.conn.execute(statement.encode(), values)
        row = await cursor.fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    async def outcomes(self, messages: Iterable[Message]) -> dict[UUID, str]:
        cursor = await self.conn.execute(
            "select command_id, result from outcome where command_id = any(%s)",
            ([message.id for message in messages],),
        )
        return {row[0]: row[1] for row in await cursor.fetchall()}

    async def settled(self, messages: list[Message], seconds: float = 60) -> dict[UUID, str]:
        """Wait until each of these commands has its outcome."""
        wanted = len({message.id for message in messages})

        async def all_there() -> bool:
            return len(await self.outcomes(messages)) == wanted

        await until(all_there, seconds)
        return await self.outcomes(messages)

    async def reached(self, type: str, count: int, seconds: float = 90) -> None:
        """Wait until the log holds so many facts of this type."""

        async def enough() -> bool:
            return await self.count("select count(*) from event where type = %s", type) >= count

        await until(enough, seconds)

    async def drained(self, seconds: float = 60) -> None:
        """Wait until relay and sweeper have nothing left to do: all causes have their outcomes."""

        async def done() -> bool:
            head = await log.head(self.conn)
            places = await self.count("select position from checkpoint where name = 'sweeper'")
            return places >= head

        await until(done, seconds)

    async def records(self, context: str) -> list[Read]:
        return await read_all(self.kafka, [TOPICS[context]])

    async def waits_for_lock(self, application: str) -> bool:
        """Whether a statement of this processor stands before a lock."""
        found = await self.count(
            "select count(*) from pg_stat_activity where application_name = %s"
            " and wait_event_type = 'Lock' and datname = current_database()",
            application,
        )
        return found > 0

    def check(self, *, ledger: bool = False) -> None:
        """Every hash, every version, every invariant of the books; the provider's as well."""
        book = self.path / "provider" / "ledger.jsonl"
        report = verify(
            self.dsn, None, ledger=_paid(book, 0) if ledger else None, settle_seconds=-60
        )
        assert report.findings == []
        assert report.events > 0

    async def each_once(self, messages: list[Message]) -> None:
        """Each command was applied exactly once, and first things came first."""
        results = await self.outcomes(messages)
        assert {results.get(message.id) for message in messages} == {"applied"}
        causes = await self.count("select count(distinct causation) from event")
        assert causes >= len({message.id for message in messages})
        repeated = await self.count(
            "select count(*) from (select causation, stream, type from event where"
            " causation = any(%s) group by 1, 2, 3 having count(*) > 1) as twice",
            [message.id for message in messages],
        )
        assert repeated == 0

    async def make_anew(self, topics: list[str]) -> None:
        """Delete these topics, with what their groups committed, and make them again."""
        await make_anew(self.kafka, topics, PARTITIONS)

    async def relayed(self, seconds: float = 60) -> None:
        """Wait until the relay has sent all that the log causes."""

        async def passed() -> bool:
            at = await self.count("select position from checkpoint where name = 'relay'")
            return at >= await log.head(self.conn)

        await until(passed, seconds)

    async def forget_group(self, group: str) -> None:
        """Delete a consumer group that has no members, with its offsets."""
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            coordinator = await admin.find_coordinator(group)
            answer = await admin._send_request(DeleteGroupsRequest([group]), coordinator)
            assert [code for _, code in answer.results] == [0]
        finally:
            await admin.close()

    async def no_members(self, *contexts: str) -> None:
        """Wait until Kafka has let go of these groups' members."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()

        async def empty() -> bool:
            try:
                answers: Any = await admin.describe_consumer_groups(
                    [f"quire-{context}" for context in contexts]
                )
            except GroupCoordinatorNotAvailableError:
                return False
            return all(not group[5] for answer in answers for group in answer.groups)

        try:
            await until(empty)
        finally:
            await admin.close()


def place(
    order_id: str, sku: str = "mug", quantity: int = 1, card: str = "tok_approve"
) -> PlaceOrder:
    return PlaceOrder(order_id, (Line(1, sku, quantity, Money(500, "GBP")),), "GBP", card)


def message(command: Command, origin: str, *, source: str = BENCH, **changes: Any) -> Message:
    """A command as it comes from outside; the same origin gives the same id."""
    now = datetime.now(UTC)
    made = Message(
        id=derive(1_700_000_000_000, origin), type=command.kind, source=source, time=now,
        key=command.key, subject=command.stream, correlation=command.key, causation=None,
        data=encode(command),
    )  # fmt: skip
    return replace(made, **changes)


def orders(count: int, prefix: str = "o", sku: str = "mug") -> list[Message]:
    """So many orders placed."""
    return [message(place(f"{prefix}-{n}", sku), f"{prefix}-{n}/place") for n in range(count)]
