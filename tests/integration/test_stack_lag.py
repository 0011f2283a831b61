"""How far behind: what nobody has read yet is counted, with its age."""

from typing import Any

from aiokafka import AIOKafkaProducer

from stack.lag import lags
from stack.topics import ensure
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
