"""What `quire topics` looks at and does, while nothing runs that it would upset."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import msgspec
from psycopg import AsyncConnection

from bus import topics as kafka_topics
from bus.batches import Place
from cli.output import Failure
from cli.servers import Servers
from domain.catalog import TOPICS
from store import checkpoints, relaying, repairing
from store.connect import connect
from store.repairing import FenceRow

FACTS = "quire.events"
OURS = [FACTS, *TOPICS.values()]
READERS = {topic: f"quire-{context}" for context, topic in TOPICS.items()}


class Surveyed(msgspec.Struct, frozen=True):
    """A topic as it is; `lag` counts what its worker has not handled yet."""

    topic: str
    partitions: int
    planned: int | None
    ends: list[int]
    lag: int | None


class Repair(msgspec.Struct, frozen=True):
    """What a repair does: where each worker begins, which fences go, where the relay begins."""

    begin: list[FenceRow]
    gone: list[FenceRow]
    partitions: dict[str, int]
    relay_from: int
    relay_to: int

    def in_words(self) -> str:
        lines = [
            f"{processor} begins {topic}/{number} at {offset}"
            for processor, (topic, number), offset in self.begin
        ]
        lines += [
            f"{p} forgets {topic}/{number}, which is gone" for p, (topic, number), _ in self.gone
        ]
        lines.append(f"the relay goes from {self.relay_from} back to {self.relay_to}")
        return "\n".join(lines)


async def survey(told: Servers, names: Sequence[str] = OURS) -> list[Surveyed]:
    """Look at every topic of ours."""
    counts = await kafka_topics.partition_counts(told.kafka, names)
    places = [(topic, number) for topic in names for number in range(counts[topic])]
    async with _database(told) as conn, kafka_topics.offsets(told.kafka) as offsets:
        extents = await offsets.extents(places)
        plans = await repairing.plans(conn)
        fences = {place: offset for _, place, offset in await repairing.fence_rows(conn)}
    return [
        Surveyed(
            topic,
            counts[topic],
            plans.get(topic),
            [extents[topic, number].end for number in range(counts[topic])],
            _lag(topic, counts[topic], extents, fences) if topic in READERS else None,
        )
        for topic in names
    ]


async def grow(told: Servers, topic: str, partitions: int) -> int:
    """Grow a topic that nobody uses now; gives how many partitions it had."""
    if topic not in OURS:
        raise Failure("unknown_topic", f"{topic} is no topic of ours", hint=", ".join(OURS))
    [now] = await survey(told, [topic])
    if partitions <= now.partitions:
        raise Failure("not_more", f"{topic} has {now.partitions} partitions already")
    async with _database(told) as conn:
        await _refuse_while_in_use(conn, told, topic)
        if now.lag:
            raise Failure(
                "not_drained",
                f"{now.lag} records of {topic} are not handled yet",
                hint="Start the workers and wait for lag 0 (`quire topics list`), then stop them.",
            )
        await _refuse_while_open(conn)
        # The plan comes first: whoever starts in between sees that it is not so yet, and stops.
        await relaying.plan(conn, topic, partitions)
        await kafka_topics.add_partitions(told.kafka, topic, partitions)
    return now.partitions


async def _refuse_while_open(conn: AsyncConnection) -> None:
    """A new partition's first command names none before it, so all that was sent must be done."""
    relay = (await checkpoints.read(conn, "relay")).position
    done = (await checkpoints.read(conn, "sweeper")).position
    if done < relay:
        raise Failure(
            "not_done",
            f"commands of facts after position {done} may be open; the relay stands at {relay}",
            hint="Let the stack run idle for some ten seconds (the sweeper follows), then stop it.",
        )


async def plan_repair(told: Servers) -> Repair:
    """Say what a repair would do."""
    async with _database(told) as conn:
        await _refuse_while_in_use(conn, told, *OURS)
        rows = await repairing.fence_rows(conn)
        topics = sorted({*(await repairing.plans(conn)), *(row.place[0] for row in rows)})
        counts = await kafka_topics.partition_counts(told.kafka, topics)
        there = [row for row in rows if row.place[1] < counts[row.place[0]]]
        async with kafka_topics.offsets(told.kafka) as offsets:
            extents = await offsets.extents([row.place for row in there])
        relay = (await checkpoints.read(conn, "relay")).position
        done = (await checkpoints.read(conn, "sweeper")).position
    return Repair(
        begin=[row._replace(next_offset=extents[row.place].start) for row in there],
        gone=[row for row in rows if row not in there],
        partitions={topic: count for topic, count in counts.items() if count},
        relay_from=relay,
        relay_to=min(relay, done),
    )


async def repair(told: Servers, plan: Repair) -> None:
    """Do it, all in one transaction."""
    async with _database(told) as conn:
        await _refuse_while_in_use(conn, told, *OURS)
        relay = (plan.relay_from, plan.relay_to)
        await repairing.start_over(conn, plan.begin, plan.gone, plan.partitions, relay)


async def _refuse_while_in_use(conn: AsyncConnection, told: Servers, *topics: str) -> None:
    using = await repairing.who_runs(conn)
    if await repairing.relay_runs(conn):
        using.append("the relay")
    for group in (READERS[topic] for topic in topics if topic in READERS):
        if await kafka_topics.members(told.kafka, group):
            using.append(f"a worker of {group}")
    if using:
        raise Failure(
            "in_use",
            f"still running: {', '.join(using)}",
            hint="Stop API, workers, relay and timers first; Kafka and Postgres stay up.",
        )


def _lag(
    topic: str, count: int, extents: dict[Place, kafka_topics.Extent], fences: dict[Place, int]
) -> int:
    """Records that no fence has passed and that are still there."""
    lag = 0
    for number in range(count):
        start, end = extents[topic, number]
        lag += max(0, end - max(start, fences.get((topic, number), 0)))
    return lag


@asynccontextmanager
async def _database(told: Servers) -> AsyncGenerator[AsyncConnection]:
    async with await connect(told.postgres_dsn, name="quire topics") as conn:
        yield conn
