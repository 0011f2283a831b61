"""The API as a door (PROTOCOL 11, 13): whatever dies there, a wish becomes one order."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from api.app import create_app
from api.settings import Settings
from bus.message import Message
from bus.publisher import KafkaPublisher, PublishFailed
from domain.catalog import TOPICS
from gateways.clock import Clock, this_host
from stack.topics import ensure
from store import forgetting, idempotency, log, outcomes, timers
from store.connect import AsyncConnection, connect
from store.idempotency import Wish
from streams.agents import declare
from streams.engine import Engine
from streams.projector import Projector
from streams.timers import announce
from streams.wishes import SLACK
from tests.integration.hand import Record, Topic, settings
from tests.integration.relay_world import Read, read_all, until
from tests.integration.servers import Running

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


@pytest.fixture
async def door(postgres_dsn: str, kafka: str, tmp_path: Path) -> AsyncIterator[Door]:
    await ensure(kafka)
    async with await connect(postgres_dsn, name="test") as conn:
        door = Door(postgres_dsn, kafka, tmp_path, conn)
        async with door.open() as client:
            await client.put("/catalogue", json={"items": [ITEM]})
        yield door


async def die_in(door: Door, step: str) -> None:
    """Post in a process that ends by kill -9 at this step."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.door_process", step, door.key),
        stdin=PIPE,
        env={
            **os.environ,
            "QUIRE_POSTGRES_DSN": door.settings.postgres_dsn.get_secret_value(),
            "QUIRE_KAFKA": door.kafka,
            "QUIRE_STATE_DIR": str(door.path),
        },
    )
    await process.communicate(json.dumps(ORDER).encode())
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("step", "states", "copies"),
    [("publish", {"open"}, 0), ("mark", {"open"}, 1), ("answer", {"open", "answered"}, 1)],
)
async def test_killed_at_any_step_the_next_try_is_the_same_order(
    door: Door, step: str, states: set[str], copies: int
) -> None:
    await die_in(door, step)
    left = await door.wish()
    assert left.state in states
    assert len(await door.sent()) == copies
    async with door.open() as client:
        shown = await client.get(f"/orders/{left.record_key}")
        assert (shown.status_code, shown.json()["status"]) == (200, "accepted")
        answer = await door.post(client)
        assert answer.status_code == 202
        assert answer.json()["order_id"] == left.record_key
        assert answer.headers["idempotent-replayed"] == "true"
    assert (await door.wish()).state == "answered"
    assert len(await door.sent()) == copies + (left.state == "open")  # an open one goes again
    await door.is_one_order()


@pytest.mark.parametrize("step", ["publish", "mark"])
async def test_killed_for_good_the_timers_process_publishes_it(door: Door, step: str) -> None:
    """Nobody tries again: what was written down becomes an order all the same."""
    await die_in(door, step)
    async with announcing(door):
        await until(door.has_sent)
    await door.is_one_order()


class Mute(KafkaPublisher):
    """Connected, and never heard."""

    async def publish(self, topic: str, message: Message) -> None:
        raise PublishFailed("nobody hears")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_the_timers_process_publishes_the_wish_of_a_door_whose_clock_is_wrong(
    door: Door, hours: int
) -> None:
    """Who looks for lost wishes is an hour past the time of a slow door, and never goes back."""
    now = await timers.now(door.conn)
    await door.conn.execute(
        "insert into checkpoint (name, position) values ('wishes', %s)"
        " on conflict (name) do update set position = excluded.position",
        (int((now - SLACK).timestamp() * 1000),),
    )
    async with door.open(kind=Mute, clock=lambda: now + timedelta(hours=hours)) as client:
        assert (await door.post(client)).status_code == 503
    async with announcing(door):
        await until(door.has_sent)
    await door.is_one_order()


async def test_fifty_equal_requests_at_once_are_one_order(door: Door) -> None:
    async with door.open() as client:
        answers = await asyncio.gather(*(door.post(client) for _ in range(50)))
        other = await client.post(
            "/orders",
            json={**ORDER, "customer_id": "another"},
            headers={"Idempotency-Key": door.key},
        )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    await door.is_one_order()


async def test_a_repeat_whose_answer_is_not_kept_any_more_does_nothing(door: Door) -> None:
    async with door.open() as client:
        first = await door.post(client)
        await door.is_one_order()
        now = await timers.now(door.conn)
        assert await forgetting.drop_answers(door.conn, now - timedelta(minutes=5), now) >= 1
        assert (await door.wish()).answer is None
        again = await door.post(client)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await door.sent()) == 1
    await door.is_one_order()


async def test_a_topic_lost_after_the_202_is_made_good_by_the_timers_process(door: Door) -> None:
    async with door.open() as client:
        assert (await door.post(client)).status_code == 202
    assert len(await door.sent()) == 1
    admin = AIOKafkaAdminClient(bootstrap_servers=door.kafka)
    await admin.start()
    try:
        await admin.delete_topics([ORDERS])

        async def gone() -> bool:
            return ORDERS not in await admin.list_topics()

        await until(gone)
    finally:
        await admin.close()
    await ensure(door.kafka)
    assert await door.sent() == []
    async with announcing(door):
        await until(door.has_sent)
    await door.is_one_order()


async def test_without_kafka_nothing_is_promised_and_nothing_half_done(
    door: Door, kafka_server: tuple[Running, str]
) -> None:
    broker, _ = kafka_server
    if not broker.ours:
        pytest.skip("this Kafka is not ours to stop")
    async with door.open(timeout_seconds=1) as client:
        broker.signal("kafka", "SIGSTOP")
        try:
            answer = await door.post(client)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "unavailable"
            assert answer.headers["retry-after"]
            wish = await door.wish()
            assert wish.state == "open"
            assert await outcomes.find(door.conn, [wish.command_id]) == {}
            assert await log.read_streams(door.conn, [wish.subject]) == {}
        finally:
            broker.signal("kafka", "SIGCONT")

        async def accepted() -> bool:
            return (await door.post(client)).status_code == 202

        await until(accepted)
    await door.is_one_order()


async def test_who_waits_for_what_is_parked_is_told_at_once(door: Door) -> None:
    async with door.open() as client:
        waiting = asyncio.create_task(door.post(client, **WAIT))
        await until(door.has_sent)
        await door.conn.execute(
            "insert into outcome (command_id, result, code) values (%s, 'parked', 'data')",
            ((await door.wish()).command_id,),
        )
        await door.conn.execute("notify quire_log")
        async with asyncio.timeout(PATIENCE / 2):  # it stands still, so nobody has to wait on
            parked = await waiting
        assert parked.status_code == 202
        shown = await client.get(parked.headers["location"])
        assert shown.json()["status"] == "parked"
        assert (await client.get("/orders/none")).status_code == 404


async def test_a_refusal_is_told_to_each_who_asks_with_its_key(door: Door) -> None:
    async with door.open() as client:
        assert (await door.post(client)).status_code == 202
        order_id = (await door.wish()).record_key
        await door.is_one_order()
        headers = {"Idempotency-Key": f"pay-{door.key}", **WAIT}
        pay = f"/orders/{order_id}/pay"

        async def ask() -> httpx.Response:
            return await client.post(pay, json={"payment_method": "tok"}, headers=headers)

        first = asyncio.create_task(ask())

        async def sent() -> bool:
            return len(await door.sent()) == 2

        await until(sent)
        await door.work(await door.sent())
        answers = [await first, await ask()]
        assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (409, "not_awaiting_payment")
            assert answer.json()["details"] == {"status": "pending"}


@asynccontextmanager
async def announcing(door: Door) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task: asyncio.Task[Any] = asyncio.create_task(announce(door.streams, stop))
    try:
        yield
    finally:
        stop.set()
        await task
