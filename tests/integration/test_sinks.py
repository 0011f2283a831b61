"""Commands that are posted to a sink stand in the topic as if they had been sent to Kafka."""

from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from api.intake.app import create_intake
from api.settings import Settings
from api.sinks import SinkPublisher
from bus.message import Message
from bus.publisher import KafkaPublisher, PublishFailed, TooLarge
from domain.catalog import TOPICS
from tests.integration.receiver import receiving
from tests.knative import sink

MakeTopic = Callable[[str, int], Awaitable[str]]

MESSAGE = Message(
    id=UUID(int=7),
    type="quire.inventory.receive",
    source="quire/api",
    time=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    key='a "blue" müg, 100 %',
    subject='stock-a "blue" müg, 100 %',
    correlation="c-1",
    causation=UUID(int=8),
    data='{"quantity": 1.0,\n "note": "ü\\u00e9"}'.encode(),
    extensions=(("tenant", "Zürich"),),
)


async def only_record(kafka: str, topic: str) -> tuple[bytes, bytes, dict[str, bytes]]:
    consumer: Any = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
        return record.key, record.value, dict(record.headers)
    finally:
        await consumer.stop()


async def test_a_record_is_the_same_by_either_way(kafka: str, topics: MakeTopic):
    direct, posted = await topics("direct", 1), await topics("posted", 1)
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    await publisher.publish(direct, MESSAGE)
    await publisher.stop()
    async with sink.running(kafka, {posted.replace(".", "-"): posted}) as address:
        by_sink = SinkPublisher(address)
        await by_sink.publish(posted, MESSAGE)
        by_sink.close()
    assert await only_record(kafka, posted) == await only_record(kafka, direct)


async def test_what_a_sink_does_not_take_failed():
    async with receiving() as receiver:
        address = f"http://127.0.0.1:{receiver.port}/{{sink}}"
        with closing(SinkPublisher(address, timeout_seconds=0.3)) as by_sink:
            for answer, fault in ((503, PublishFailed), (404, PublishFailed), (413, TooLarge)):
                receiver.refuse_all_with = answer
                with pytest.raises(PublishFailed) as raised:
                    await by_sink.publish("quire.order.commands", MESSAGE)
                assert type(raised.value) is fault
            receiver.go.clear()
            with pytest.raises(PublishFailed, match="does not answer"):
                await by_sink.publish("quire.order.commands", MESSAGE)
    with pytest.raises(PublishFailed, match="does not answer"):
        await by_sink.publish("quire.order.commands", MESSAGE)


async def test_ready_when_the_sink_answers_and_again_by_itself(
    kafka: str, postgres_dsn: str, tmp_path: Path
):
    async with sink.running(kafka, {}) as without:
        pass
    port = int(without.split(":")[2].split("/")[0])
    settings = Settings.model_validate(
        {
            "postgres_dsn": postgres_dsn,
            "kafka": "127.0.0.1:1",
            "state_dir": tmp_path,
            "sink_url": without,
        }
    )
    app = create_intake(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.state.service.opened(reads=False),
        httpx.AsyncClient(transport=transport, base_url="http://intake") as client,
    ):
        away = await client.get("/readyz")
        assert (away.status_code, away.json()["sink"]) == (503, "no_answer")
        async with sink.running(kafka, {}, port):
            nameless = await client.get("/readyz")
            assert nameless.json() == {**away.json(), "sink": "no_answer"}
        names = {topic.replace(".", "-"): topic for topic in TOPICS.values()}
        async with sink.running(kafka, names, port):
            there = await client.get("/readyz")
            assert (there.status_code, there.json()["sink"]) == (200, "ok")
