"""The log: facts as they are written and read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row

from domain.message import Event
from store.codec import decode_event


class NewEvent(NamedTuple):
    """A fact about to be written. Field order is the argument order of `append_events`."""

    stream: str
    version: int
    type: str
    id: UUID
    occurred_at: datetime
    recorded_at: datetime
    correlation: str
    causation: UUID
    source: str
    imported: bool
    data: str
    hash: bytes


class Recorded(NamedTuple):
    """A fact as the log holds it; `data` is the very text that was hashed."""

    position: int
    stream: str
    version: int
    type: str
    id: UUID
    occurred_at: datetime
    recorded_at: datetime
    correlation: str
    causation: UUID
    source: str
    imported: bool
    data: bytes
    hash: bytes

    @property
    def event(self) -> Event:
        """The fact itself; decoded anew at each call."""
        return decode_event(self.type, self.data)


class Stamped(Protocol):
    """What the views ask of a fact besides the fact itself."""

    @property
    def position(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def imported(self) -> bool: ...


COLUMNS: LiteralString = (
    "position, stream, version, type, id, occurred_at, recorded_at, correlation, causation,"
    " source, imported, convert_to(data::text, 'UTF8'), hash"
)
_TAIL: LiteralString = f"select {COLUMNS} from event where position > %s order by position limit %s"
_STREAMS: LiteralString = (
    f"select {COLUMNS} from event where stream = any(%b::text[]) order by stream, version"
)
_ORDER: LiteralString = f"""
    select {COLUMNS} from event where stream = any(%(exact)s::text[])
    union all select {COLUMNS} from event where stream >= %(parcels)s and stream < %(parcels_end)s
    union all select {COLUMNS} from event where stream >= %(notes)s and stream < %(notes_end)s
    order by position"""
APPEND: LiteralString = (
    "select append_events(%b::text[], %b::int[], %b::text[], %b::uuid[], %b::timestamptz[],"
    " %b::timestamptz[], %b::text[], %b::uuid[], %b::text[], %b::bool[], %b::text[], %b::bytea[])"
)


def columns(events: Sequence[NewEvent]) -> list[list[Any]]:
    """The arguments of APPEND: one array a column."""
    return [list(column) for column in zip(*events, strict=True)]


async def tail(conn: AsyncConnection, after: int, limit: int) -> list[Recorded]:
    """The next facts in commit order. A gap between positions means nothing."""
    async with conn.cursor(binary=True, row_factory=args_row(Recorded)) as cursor:
        await cursor.execute(_TAIL, (after, limit))
        return await cursor.fetchall()


async def head(conn: AsyncConnection) -> int:
    """The last position of the log, 0 when it is empty."""
    cursor = await conn.execute("select coalesce(max(position), 0) from event")
    row = await cursor.fetchone()
    return row[0] if row else 0


async def read_streams(conn: AsyncConnection, streams: Sequence[str]) -> dict[str, list[Recorded]]:
    """The facts of each stream, by version; a stream without facts is missing."""
    found: dict[str, list[Recorded]] = {}
    async with conn.cursor(binary=True, row_factory=args_row(Recorded)) as cursor:
        await cursor.execute(_STREAMS, (list(streams),))
        for recorded in await cursor.fetchall():
            found.setdefault(recorded.stream, []).append(recorded)
    return found


async def read_order(conn: AsyncConnection, order_id: str) -> list[Recorded]:
    """All that happened to an order, in every context, in the order in which it was recorded."""
    exact = [f"{category}-{order_id}" for category in ("order", "reservation", "payment")]
    ranges = {
        "parcels": f"shipment-{order_id}.",
        "parcels_end": f"shipment-{order_id}/",
        "notes": f"notification-{order_id}.",
        "notes_end": f"notification-{order_id}/",
    }
    async with conn.cursor(binary=True, row_factory=args_row(Recorded)) as cursor:
        await cursor.execute(_ORDER, {"exact": exact, **ranges})
        return await cursor.fetchall()
