"""The API as a door (PROTOCOL 11, 13): whatever dies there, a wish becomes one order."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from bus.message import Message
from bus.publisher import KafkaPublisher, PublishFailed
from stack.topics import ensure
from store import forgetting, log, outcomes, timers
from store.connect import connect
from streams.wishes import SLACK
from tests.integration.door_world import (
    ITEM,
    ORDER,
    ORDERS,
    PATIENCE,
    WAIT,
    Door,
    announcing,
)
from tests.integration.relay_world import until
from tests.integration.servers import Running


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
