"""The Kafka topics of Quire: what each is for, how many partitions, how long it keeps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from bus.clients import LARGEST_RECORD
from bus.topics import admin
from stack.errors import StackFault
from stack.lag import READERS, offsets_of

# Shorter than the outcomes are kept (30 days): a command never outlives the memory of it.
KEEP = timedelta(days=21)
# May hold what a partner wrote in the clear.
KEEP_PARTNER = timedelta(days=3)
# A dead letter has the record's key three times, each header, and why nobody took it: it has to fit
# its topic whatever the record was. Unpacked, since a small batch can hold a large record.
LARGEST_PARTNER_RECORD = LARGEST_RECORD // 4
COORDINATED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it is first made."""

    name: str
    partitions: int
    keep: timedelta = KEEP
    largest: int = LARGEST_RECORD
    compression: str = "producer"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "retention.ms": str(int(self.keep.total_seconds() * 1000)),
            "cleanup.policy": "delete",
            "min.insync.replicas": "1",
            "max.message.bytes": str(self.largest),
            "compression.type": self.compression,
        }


def partners(name: str, partitions: int) -> Topic:
    """A topic that others write into."""
    return Topic(name, partitions, KEEP_PARTNER, LARGEST_PARTNER_RECORD, "uncompressed")


TOPICS = (
    Topic("quire.order.commands", 6),
    Topic("quire.inventory.commands", 6),
    Topic("quire.payment.commands", 6),
    Topic("quire.shipping.commands", 6),
    Topic("quire.notification.commands", 6),
    Topic("quire.events", 6),
    Topic("quire.seals", 1),
    Topic("quire.dead-letters", 1, KEEP_PARTNER),
    partners("partner.orders", 3),
    partners("partner.scans", 3),
    partners("partner.goods-receipts", 3),
)


async def ensure(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, *, replication: int = 1
) -> list[str]:
    """Make the topics that are missing and give their names; leave every other as it is.

    Returns once Kafka coordinates our consumer groups too: a young one makes its topic for them
    when first asked, and whoever joins meanwhile logs errors. Raises KafkaUnavailable, StackFault.
    """
    async with admin(bootstrap) as asks:
        there = set(await asks.list_topics())
        missing = [topic for topic in topics if topic.name not in there]
        if missing:
            await _create(asks, missing, replication)
            await _until_led(asks, [topic.name for topic in missing])
        await _until_coordinated(asks)
    return [topic.name for topic in missing]


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication: int) -> None:
    response: Any = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.settings)
            for topic in topics
        ]
    )
    for name, code, *message in response.topic_errors:
        fault = for_code(code)
        if code and fault is not TopicAlreadyExistsError:
            raise StackFault(
                "topic_refused", f"Kafka did not make the topic {name}: {fault.__name__} {message}"
            )


async def _until_led(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait until each partition has a leader, so that whoever starts next finds it."""
    async with asyncio.timeout(30):
        while not all(map(_is_led, await admin.describe_topics(names))):
            await asyncio.sleep(0.02)


async def _until_coordinated(admin: AIOKafkaAdminClient) -> None:
    try:
        async with asyncio.timeout(COORDINATED_SECONDS):
            for reader in READERS.values():
                await offsets_of(admin, reader.group)
    except TimeoutError as fault:
        raise StackFault(
            "groups_not_coordinated",
            f"Kafka coordinates no consumer group after {COORDINATED_SECONDS} s",
            "Its topic __consumer_offsets needs a leader and enough replicas: look at the broker.",
        ) from fault


def _is_led(topic: dict[str, Any]) -> bool:
    partitions: list[dict[str, int]] = topic["partitions"]
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)
