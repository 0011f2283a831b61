"""What `quire topics` writes: plans, fences and checkpoints, while nothing else runs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg import AsyncConnection

from store.locks import RELAY
from store.relaying import Place


class FenceRow(NamedTuple):
    """Where a processor begins in a partition."""

    processor: str
    place: Place
    next_offset: int


async def relay_runs(conn: AsyncConnection) -> bool:
    """Whether a relay holds the lock."""
    cursor = await conn.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and granted"
        " and objid = %s and classid = 0 and objsubid = 1"
        " and database = (select oid from pg_database where datname = current_database()))",
        (RELAY,),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def fence_rows(conn: AsyncConnection) -> list[FenceRow]:
    """Every fence, by processor and partition."""
    cursor = await conn.execute(
        "select processor, topic, partition, next_offset from fence order by 1, 2, 3"
    )
    return [FenceRow(row[0], (row[1], row[2]), row[3]) for row in await cursor.fetchall()]


async def plans(conn: AsyncConnection) -> dict[str, int]:
    """How many partitions each topic must have."""
    cursor = await conn.execute("select topic, partitions from topic_plan")
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def start_over(
    conn: AsyncConnection,
    fences: Sequence[FenceRow],
    gone: Sequence[FenceRow],
    counts: Mapping[str, int],
    relay: tuple[int, int],
) -> None:
    """In one transaction: fences anew, with a version that no old owner knows; the plans as Kafka
    has it; the relay from one position to another, naming no predecessors."""
    old, new = relay
    async with conn.transaction():
        for processor, place, next_offset in fences:
            await conn.execute(
                "update fence set version = version + 1, next_offset = %s"
                " where processor = %s and topic = %s and partition = %s",
                (next_offset, processor, *place),
            )
        for processor, place, _ in gone:
            await conn.execute(
                "delete from fence where processor = %s and topic = %s and partition = %s",
                (processor, *place),
            )
        for topic, partitions in counts.items():
            await conn.execute(
                "update topic_plan set partitions = %s where topic = %s", (partitions, topic)
            )
        await conn.execute(
            "update checkpoint set position = %s, state = null, moved_at = clock_timestamp()"
            " where name = 'relay' and position = %s",
            (new, old),
        )


async def who_runs(conn: AsyncConnection) -> list[str]:
    """The names of our processes that are connected now, those aside that touch no topic."""
    cursor = await conn.execute(
        "select distinct application_name from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and application_name like 'quire%'"
        " and application_name not similar to '%(projector|sealer|topics)%' order by 1"
    )
    return [row[0] for row in await cursor.fetchall()]
