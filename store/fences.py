"""Fences: one row a partition, which proves who owns it and says where to begin."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import AsyncConnection


class Fence(NamedTuple):
    """`version` counts the batches, `next_offset` is the first not handled."""

    version: int
    next_offset: int


async def read(
    conn: AsyncConnection, processor: str, topic: str, partitions: Sequence[int]
) -> dict[int, Fence]:
    """The fence of each partition, made when it is new."""
    wanted = sorted(partitions)
    await conn.execute(
        "insert into fence (processor, topic, partition, version, next_offset)"
        " select %s, %s, p, 0, 0 from unnest(%s::int[]) as p order by p"
        " on conflict do nothing",
        (processor, topic, wanted),
    )
    cursor = await conn.execute(
        "select partition, version, next_offset from fence"
        " where processor = %s and topic = %s and partition = any(%s)",
        (processor, topic, wanted),
    )
    return {row[0]: Fence(row[1], row[2]) for row in await cursor.fetchall()}
