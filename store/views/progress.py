"""How far the views have come; whoever writes one holds the row of its checkpoint."""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from psycopg import AsyncConnection

from store.locks import PROJECTOR

CHANNEL = "quire_views"

_HOLD: LiteralString = (
    "select name, position, coalesce(state ->> 'generation', '0')::bigint from checkpoint"
    " where name = any(%b::text[]) order by name for update"
)
_MOVE: LiteralString = (
    "update checkpoint set position = %s, moved_at = now() where name = any(%b::text[])"
)


class Moved(Exception):
    """Another projector, or a rebuild, was here: what this one remembers is worth nothing."""


class Progress(NamedTuple):
    """`generations` counts the rebuilds of each view."""

    position: int
    generations: tuple[int, ...]


async def start(conn: AsyncConnection, views: Sequence[str]) -> Progress:
    """Where the views stand; all of them always stand at the same position."""
    names = sorted(views)
    await conn.execute(
        "insert into checkpoint (name, position) select n, 0 from unnest(%b::text[]) as n"
        " on conflict do nothing",
        (names,),
    )
    async with conn.transaction():
        return await held(conn, names)


async def held(conn: AsyncConnection, views: Sequence[str]) -> Progress:
    """Where the views stand, nobody else moving them until the transaction ends."""
    cursor = await conn.execute(_HOLD, (sorted(views),))
    rows = await cursor.fetchall()
    positions = {row[1] for row in rows}
    assert len(positions) == 1, f"the views stand at different positions: {rows}"
    return Progress(positions.pop(), tuple(row[2] for row in rows))


async def hold(conn: AsyncConnection, views: Sequence[str], at: Progress) -> None:
    """Keep everyone else from the views until the transaction ends; raises `Moved`."""
    found = await held(conn, views)
    if found != at:
        raise Moved(f"expected {at}, found {found}")


async def move(
    conn: AsyncConnection, views: Sequence[str], at: Progress, position: int
) -> Progress:
    """Move the held views and wake who waits for them."""
    await conn.execute(_MOVE, (position, list(views)))
    await conn.execute(f"notify {CHANNEL}")
    return at._replace(position=position)


async def renew(conn: AsyncConnection, view: str) -> None:
    """Count a rebuild, so that a running projector forgets what it remembers."""
    await conn.execute(
        "update checkpoint set state = json_build_object('generation',"
        " coalesce(state ->> 'generation', '0')::bigint + 1) where name = %s",
        (view,),
    )


async def reached(conn: AsyncConnection, view: str) -> int:
    """The position up to which the view shows the log."""
    cursor = await conn.execute("select position from checkpoint where name = %s", (view,))
    row = await cursor.fetchone()
    return row[0] if row else 0


async def lead(conn: AsyncConnection) -> bool:
    """Become the projector, as long as the connection lives; False while another one is."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (PROJECTOR,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def backlog(conn: AsyncConnection, view: str) -> tuple[int, int]:
    """How many positions the view is behind the log, and how many messages are parked."""
    cursor = await conn.execute(
        "select coalesce((select max(position) from event), 0)"
        " - coalesce((select position from checkpoint where name = %s), 0),"
        " (select count(*) from parked)",
        (view,),
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else (0, 0)
