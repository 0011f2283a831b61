"""Topics whose names are fixed, made anew for those who cannot share them."""

from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bus.topics import partition_counts
from tests.integration.relay_world import until


async def make_anew(kafka: str, topics: Sequence[str], partitions: int) -> None:
    """Delete these topics, with what their groups committed, and make them again."""
    await delete(kafka, topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await until(lambda: _is_made(admin, topics, partitions))
        await until(lambda: _have(kafka, topics, partitions))
    finally:
        await admin.close()


async def delete(kafka: str, topics: Sequence[str]) -> None:
    """Delete those of the topics that exist."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics(list(topics))
        await until(lambda: _have(kafka, topics, 0))
    finally:
        await admin.close()


async def _is_made(admin: AIOKafkaAdminClient, topics: Sequence[str], partitions: int) -> bool:
    """A name that was just deleted is refused for a moment."""
    response: Any = await admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics])
    return all(code in (0, 36) for _, code, *_ in response.topic_errors)  # 36: it exists by now


async def _have(kafka: str, topics: Sequence[str], partitions: int) -> bool:
    return set((await partition_counts(kafka, topics)).values()) == {partitions}
