"""How far behind: what nobody has read yet is counted, with its age."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from stack.lag import Lag, lags
from stack.topics import ensure
from store import timers
from store.connect import connect
from streams.projector import Projector
from tests.integration.facts import life, record


async def test_unread_commands_are_counted_with_their_age(kafka: str, postgres_dsn: str):
    await ensure(kafka)
    before = await lags(postgres_dsn, kafka)
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for key in (b"a", b"b", b"c"):
            await producer.send_and_wait("quire.shipping.commands", b"{}", key=key)
    finally:
        await producer.stop()
    after = await lags(postgres_dsn, kafka)
    assert after["worker-shipping"].records == before["worker-shipping"].records + 3
    assert after["worker-shipping"].seconds > 0
    assert after["worker-payment"] == before["worker-payment"]


async def test_servers_that_do_not_answer_are_left_out():
    assert await lags("postgresql://nobody@127.0.0.1:1/none", "127.0.0.1:1") == {}


async def test_a_projector_has_a_lag_as_well(kafka: str, postgres_dsn: str):
    await ensure(kafka)
    async with await connect(postgres_dsn, name="test") as conn:
        projector = Projector(conn)
        await record(conn, life("lag-1"))
        while await projector.step():
            pass
        assert (await lags(postgres_dsn, kafka))["projector"].records == 0
        await record(conn, life("lag-2"))
    behind = (await lags(postgres_dsn, kafka))["projector"]
    assert behind.records == len(life("lag-2"))
    assert behind.seconds > 0


async def test_a_timer_that_is_due_and_not_handled_is_a_lag(kafka: str, postgres_dsn: str):
    await ensure(kafka)
    assert (await lags(postgres_dsn, kafka))["timers"] == Lag(0, 0)
    ids = [uuid4() for _ in range(3)]
    async with await connect(postgres_dsn, name="test") as conn:
        now = await timers.now(conn)
        for number, (id, minutes) in enumerate(zip(ids, (5, 2, -5), strict=True)):
            await conn.execute(
                "insert into timer (stream, name, id, due_at, kind, key, context, correlation,"
                " causation, command) values (%s, 'late', %s, %s, 'k', 'k', 'order', 'c', %s,"
                " '{}')",
                (f"order-late-{number}", id, now - timedelta(minutes=minutes), uuid4()),
            )
        late = (await lags(postgres_dsn, kafka))["timers"]
        assert late.records == 2
        assert 300 <= late.seconds < 400
        await conn.execute(
            "insert into outcome (command_id, result) values (%s, 'noop')", (ids[0],)
        )
        late = (await lags(postgres_dsn, kafka))["timers"]
        assert late.records == 1
        assert 120 <= late.seconds < 200
