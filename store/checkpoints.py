"""How far each reader of the log has come; moved only from where its owner believes it stands."""

from typing import NamedTuple

from psycopg import AsyncConnection


class CheckpointMoved(Exception):
    """Somebody else has moved the checkpoint meanwhile."""


class Checkpoint(NamedTuple):
    """`position` is the last one done; `state` is the reader's own JSON."""

    position: int
    state: bytes | None


async def read(conn: AsyncConnection, name: str) -> Checkpoint:
    """Where the reader stands; a new one begins at 0."""
    found = await _find(conn, name)
    if found is None:
        await conn.execute(
            "insert into checkpoint (name, position) values (%s, 0) on conflict do nothing", (name,)
        )
        found = await _find(conn, name)
    assert found is not None, "the row was made just now"
    return found


async def _find(conn: AsyncConnection, name: str) -> Checkpoint | None:
    cursor = await conn.execute(
        "select position, state::text from checkpoint where name = %s", (name,)
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    position, state = row
    return Checkpoint(position, None if state is None else state.encode())


async def move(
    conn: AsyncConnection, name: str, old: int, new: int, state: bytes | None = None
) -> None:
    """Go from `old` to `new`; raises CheckpointMoved when it does not stand at `old`."""
    cursor = await conn.execute(
        "update checkpoint set position = %s, state = %s::json, moved_at = clock_timestamp()"
        " where name = %s and position = %s",
        (new, None if state is None else state.decode(), name, old),
    )
    if cursor.rowcount != 1:
        raise CheckpointMoved(f"the checkpoint of {name} is not at {old}")
