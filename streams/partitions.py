"""The number of partitions never changes while anything runs; who notices that it did, stops."""

from collections.abc import Awaitable, Callable, Sequence

from bus.topics import KafkaRefuses
from store.connect import AsyncConnection
from store.errors import translated
from store.relaying import planned
from streams.lifecycle import CannotGoOn

Count = Callable[[str], Awaitable[int]]


def missing(names: Sequence[str]) -> CannotGoOn:
    """What is said of topics that Kafka does not have."""
    return CannotGoOn(
        f"topic_missing: there is no topic {', '.join(names)}: make ours with"
        " `quire topics create`, and any other by hand"
    )


def login_refused(reason: KafkaRefuses) -> CannotGoOn:
    """What is said of a Kafka that does not take our user or password."""
    return CannotGoOn(
        f"login_refused: {reason}; mend QUIRE_KAFKA_USERNAME, QUIRE_KAFKA_PASSWORD or"
        " QUIRE_KAFKA_SASL_MECHANISM"
    )


async def agreed_counts(
    conn: AsyncConnection, count: Count, topics: Sequence[str]
) -> dict[str, int]:
    """How many partitions each topic has; raises CannotGoOn when that is not the plan."""
    found = {topic: await count(topic) for topic in topics}
    await check_plan(conn, found)
    return found


async def check_plan(conn: AsyncConnection, found: dict[str, int]) -> None:
    """Raises CannotGoOn when a topic has another number of partitions than planned, or none."""
    for topic, partitions in found.items():
        if partitions == 0:
            raise missing([topic])
    with translated():
        plan = await planned(conn, found)
    _compare(found, plan)


async def still_agree(count: Count, agreed: dict[str, int]) -> None:
    """Raises CannotGoOn when a number has changed since."""
    _compare({topic: await count(topic) for topic in agreed}, agreed)


def _compare(found: dict[str, int], plan: dict[str, int]) -> None:
    for topic, partitions in found.items():
        if partitions != plan[topic]:
            raise CannotGoOn(
                f"{topic} has {partitions} partitions and should have {plan[topic]}: a key's"
                " partition would change under way; stop all and use `quire topics grow`,"
                " or `quire topics repair` after a restore"
            )
