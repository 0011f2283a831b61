"""What relay and sweeper ask of the database: the lock, kinds, plans, fences, what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from psycopg import AsyncConnection

from store.locks import RELAY

Place = tuple[str, int]
"""A partition: its topic and number."""


async def hold_lock(conn: AsyncConnection) -> bool:
    """Take the relay's lock for as long as this connection lives; False when another has it."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (RELAY,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def do_not_wait_for_disk(conn: AsyncConnection) -> None:
    """Commit without waiting: an older checkpoint after a crash only means repeats, which its
    position and its state, lost together, agree upon."""
    await conn.execute("set synchronous_commit = off")


async def kinds_since(conn: AsyncConnection, kinds: Iterable[str], position: int) -> dict[str, int]:
    """From where on each kind of command counts; a new kind counts from `position`."""
    await conn.execute(
        "insert into command_kind (kind, since_position)"
        " select kind, %s from unnest(%s::text[]) as kind on conflict do nothing",
        (position, sorted(kinds)),
    )
    cursor = await conn.execute("select kind, since_position from command_kind")
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def planned(conn: AsyncConnection, counts: Mapping[str, int]) -> dict[str, int]:
    """How many partitions each of these topics must have; a new topic is planned as it is."""
    await conn.execute(
        "insert into topic_plan (topic, partitions)"
        " select * from unnest(%s::text[], %s::int[]) on conflict do nothing",
        (list(counts), list(counts.values())),
    )
    cursor = await conn.execute(
        "select topic, partitions from topic_plan where topic = any(%s)", (list(counts),)
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def plan(conn: AsyncConnection, topic: str, partitions: int) -> None:
    """From now on the topic must have so many partitions."""
    await conn.execute(
        "insert into topic_plan (topic, partitions) values (%s, %s)"
        " on conflict (topic) do update set partitions = excluded.partitions",
        (topic, partitions),
    )


async def next_offsets(conn: AsyncConnection) -> dict[tuple[str, Place], int]:
    """Where the fence of each (processor, partition) stands."""
    cursor = await conn.execute("select processor, topic, partition, next_offset from fence")
    return {(row[0], (row[1], row[2])): row[3] for row in await cursor.fetchall()}


_MISSING = (
    "select w.id from unnest(%b::uuid[]) as w(id) where not exists (select from outcome o"
    " where o.command_id = w.id and o.command_id between %b and %b)"
)


async def missing(conn: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the commands that have no outcome."""
    if not ids:
        return set()
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_MISSING, (list(ids), min(ids), max(ids)))
        return {row[0] for row in await cursor.fetchall()}
