"""The API as a door with everything behind it by hand, for the tests of what dies there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from api.app import create_app
from api.settings import Settings
from bus.publisher import KafkaPublisher
from domain.catalog import TOPICS
from gateways.clock import Clock, this_host
from store import idempotency, log
from store.connect import AsyncConnection
from store.idempotency import Wish
from streams.agents import declare
from streams.engine import Engine
from streams.projector import Projector
from streams.timers import announce
from tests.integration.hand import Record, Topic, settings
from tests.integration.relay_world import Read, read_all

ORDERS = TOPICS["order"]
PARTITIONS = range(6)
SWEEP_AFTER = 0.5
ITEM = {"sku": "mug", "title": "Mug", "price": {"amount_minor": 500, "currency": "EUR"}}
ORDER = {"lines": [{"sku": "mug", "quantity": 2}], "payment_method": "tok_approve"}
PATIENCE = 30
WAIT = {"Prefer": f"wait={PATIENCE}"}


class Door:
    """The API in this process, and everything behind it by hand: the owner, the projector."""

    def __init__(self, dsn: str, kafka: str, path: Path, conn: AsyncConnection) -> None:
        self.kafka = kafka
        self.conn = conn
        self.path = path
        self.settings = Settings.model_validate(
            {"postgres_dsn": dsn, "kafka": kafka, "state_dir": path}
        )
        self.streams = settings(dsn, path, kafka=kafka, sweep_after_seconds=SWEEP_AFTER)
        self.key = uuid4().hex

    @asynccontextmanager
    async def open(
        self,
        timeout_seconds: float = 10,
        kind: type[KafkaPublisher] = KafkaPublisher,
        clock: Clock = this_host,
    ) -> AsyncGenerator[httpx.AsyncClient]:
        """Serve with a real Kafka behind it."""
        publisher = kind(self.kafka, timeout_seconds=timeout_seconds)
        app = create_app(self.settings, publisher, clock)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncExitStack() as stack:
            await publisher.start()
            stack.push_async_callback(publisher.stop)
            await stack.enter_async_context(app.state.service.opened())
            client = httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60)
            yield await stack.enter_async_context(client)

    async def post(self, client: httpx.AsyncClient, **headers: str) -> httpx.Response:
        return await client.post(
            "/orders", json=ORDER, headers={"Idempotency-Key": self.key, **headers}
        )

    async def wish(self) -> Wish:
        found = await idempotency.find(self.conn, "anonymous", self.key)
        assert found is not None
        return found

    async def sent(self) -> list[Read]:
        """What stands in Kafka of this order."""
        order_id = (await self.wish()).record_key.encode()
        return [read for read in await read_all(self.kafka, [ORDERS]) if read.key == order_id]

    async def has_sent(self) -> bool:
        written = await idempotency.find(self.conn, "anonymous", self.key) is not None
        return written and bool(await self.sent())

    async def work(self, reads: list[Read]) -> None:
        """Let the order's owner handle these records, and the view follow."""
        engine = Engine(declare("order", self.streams), self.streams)
        await engine.own(dict.fromkeys(PARTITIONS))
        topic, batch = Topic(len(PARTITIONS)), list[Record]()
        for read in reads:
            batch.append(topic.send(read.message, 0))
        await engine.handle(batch)
        await engine.close()
        projector = Projector(self.conn)
        while await projector.step():
            pass

    async def is_one_order(self) -> None:
        """However often it stands in Kafka, it is one command and becomes one order."""
        reads = await self.sent()
        assert reads
        wish = await self.wish()
        assert {read.message.id for read in reads} == {wish.command_id}
        assert {read.value for read in reads} == {wish.body}
        await self.work(reads)
        facts = (await log.read_streams(self.conn, [wish.subject]))[wish.subject]
        assert [fact.type for fact in facts] == ["quire.order.placed.v1"]
        cursor = await self.conn.execute(
            "select count(*) from order_view where order_id = %s", (wish.record_key,)
        )
        assert await cursor.fetchone() == (1,)


@asynccontextmanager
async def announcing(door: Door) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task: asyncio.Task[Any] = asyncio.create_task(announce(door.streams, stop))
    try:
        yield
    finally:
        stop.set()
        await task
