"""What stands on Kafka in a rehearsal with the data plane: written as a partner would, and read."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from api.sinks import SinkPublisher
from bus.clients import LARGEST_RECORD
from bus.publisher import KafkaPublisher
from bus.topics import partition_counts
from tests.integration.test_sinks import MESSAGE
from tests.knative.running import Failed

FACTS, BROKERS, ANALYTICS = "quire.events", "quire.broker", "quire.analytics"
LETTERS = "quire.dead-letters"

Headers = list[tuple[str, bytes]]
Sent = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers."""


async def send(kafka: str, topic: str, records: tuple[Sent, ...]) -> None:
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=LARGEST_RECORD)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers)
    finally:
        await producer.stop()


async def copies(kafka: str) -> str | None:
    """How many facts the Brokers' topics hold; None while it is not yet as many as the log's."""
    log, broker, analytics = [await _events(kafka, topic) for topic in (FACTS, BROKERS, ANALYTICS)]
    of_orders = {id for id in log if log[id].startswith("quire.order.")}
    if not (broker.keys() >= log.keys() and analytics.keys() == of_orders):
        return None
    return (
        f"{len(log)} facts by KafkaSource to the Broker, {len(of_orders)} by Trigger to the other"
    )


async def _events(kafka: str, topic: str) -> dict[str, str]:
    """The id and type of each event of a topic; raises Failed when a key is out of order."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[str, str] = {}
    last: dict[str, int] = {}
    try:
        parts = [
            TopicPartition(topic, n) for n in range((await partition_counts(kafka, [topic]))[topic])
        ]
        ends = await consumer.end_offsets(parts)
        for part in parts:
            consumer.assign([part])
            await consumer.seek_to_beginning(part)
            while await consumer.position(part) < ends[part]:
                record = await consumer.getone()
                told = {name: text.decode() for name, text in record.headers}
                if told["ce_id"] in found:
                    continue  # a repeat
                found[told["ce_id"]] = told["ce_type"]
                key, position = told.get("ce_partitionkey", ""), int(told.get("ce_position", 0))
                if 0 < position < last.get(key, 0):
                    raise Failed(f"{topic}: {key} is out of order")
                last[key] = position
    finally:
        await consumer.stop()
    return found


async def both_ways(kafka: str, sinks: str) -> list[Any]:
    """The records of one message, posted to a KafkaSink and written by a client of Kafka."""
    posted, written = SinkPublisher(sinks), KafkaPublisher(kafka)
    consumer: Any = AIOKafkaConsumer(LETTERS, bootstrap_servers=kafka)
    await written.start()
    await consumer.start()
    found: list[Any] = []
    try:
        await consumer.seek_to_end()
        for publisher in (posted, written):
            await publisher.publish(LETTERS, MESSAGE)
            record = await consumer.getone()
            found.append((record.key, record.value, dict(record.headers)))
    finally:
        await consumer.stop()
        await written.stop()
        posted.close()
    return found
