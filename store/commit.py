"""The one transaction of a batch: everything that it decided, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from store import parked, shelf, unparking
from store.errors import translated
from store.log import APPEND, NewEvent, columns
from store.parked import NewParked, Parked


class NewOutcome(NamedTuple):
    """What became of a command; see `store.outcomes.Outcome`."""

    command_id: UUID
    result: str
    code: str | None
    version: int | None
    detail: str | None


class NewTimer(NamedTuple):
    """A deadline; replaces one of the same stream and name."""

    stream: str
    name: str
    id: UUID
    due_at: datetime
    kind: str
    key: str
    context: str
    correlation: str
    causation: UUID
    command: str


class Step(NamedTuple):
    """How far a partition has come; `version` is that of the fence which the batch began with."""

    partition: int
    version: int
    next_offset: int


@dataclass
class Decided:
    """All that a batch wants written."""

    processor: str
    topic: str
    steps: list[Step]
    events: list[NewEvent] = field(default_factory=list[NewEvent])
    outcomes: list[NewOutcome] = field(default_factory=list[NewOutcome])
    resettled: list[NewOutcome] = field(default_factory=list[NewOutcome])
    armed: list[NewTimer] = field(default_factory=list[NewTimer])
    ended: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    parked: list[NewParked] = field(default_factory=list[NewParked])
    unparked: Parked | None = None
    stock: dict[str, shelf.StockRow] = field(default_factory=dict[str, shelf.StockRow])
    shelves: tuple[shelf.Shelves, shelf.Shelves] | None = None
    failed_again: tuple[Parked, str, str] | None = None
    replaced: tuple[Parked, NewParked] | None = None
    sweep: bool = False

    def resettle(self, row: Parked) -> None:
        """Turns the batch of one redriven, discarded or edited message into a change of its row."""
        why = {"by": row.wished_by, "because": row.wished_because}
        edited = row.wish == "edit"
        if edited:
            why["edited_as"] = str(row.edit_id)
        detail = msgspec.json.encode(why).decode()
        discarded = NewOutcome(row.command_id, "discarded", row.cause, None, detail)
        if edited:
            self.resettled = [discarded]
        if self.parked and edited:
            self.replaced = (row, self.parked[0])
            self.parked = []
        elif self.parked:
            self.failed_again = (row, self.parked[0].cause, self.parked[0].error)
            self.parked, self.outcomes = [], []
        else:
            self.unparked = row
            if not edited:
                self.resettled, self.outcomes = self.outcomes or [discarded], []


_END = (
    "delete from timer t using unnest(%b::text[], %b::text[]) as n(stream, name)"
    " where t.stream = n.stream and t.name = n.name"
)
_ARM = (
    "insert into timer (stream, name, id, due_at, kind, key, context, correlation, causation,"
    " command) select * from unnest(%b::text[], %b::text[], %b::uuid[], %b::timestamptz[],"
    " %b::text[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::text[])"
    " on conflict (stream, name) do update set id = excluded.id, due_at = excluded.due_at,"
    " kind = excluded.kind, key = excluded.key, context = excluded.context,"
    " correlation = excluded.correlation, causation = excluded.causation,"
    " command = excluded.command"
)
_OUTCOMES = (
    "insert into outcome (command_id, result, code, version, detail)"
    " select * from unnest(%b::uuid[], %b::text[], %b::text[], %b::int[], %b::text[])"
)
_RESETTLE = (
    "update outcome o set result = n.result, code = n.code, version = n.version, detail = n.detail"
    " from unnest(%b::uuid[], %b::text[], %b::text[], %b::int[], %b::text[])"
    " as n(command_id, result, code, version, detail) where o.command_id = n.command_id"
)
_FENCE = "select hold_fence(%b, %b, %b::int[], %b::bigint[], %b::bigint[])"


def _arrays(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def begin(conn: AsyncConnection) -> None:
    """Opens the transaction early, for rows that have to be locked before deciding."""
    await conn.execute("begin")


async def commit(conn: AsyncConnection, decided: Decided, *, begun: bool) -> None:
    """Writes and commits in one flush; `begun` when stock rows are locked already.

    Locks in the order of PROTOCOL 5. Raises Stale, Unfit or Unavailable; then nothing is written,
    save that after Unavailable the commit may have landed all the same.
    """
    with translated():
        async with conn.pipeline():
            if not begun:
                await conn.execute("begin")
            await _write(conn, decided)
            await conn.execute("commit")


async def _write(conn: AsyncConnection, decided: Decided) -> None:
    if decided.shelves is not None:
        await shelf.write(conn, decided.stock, *decided.shelves)
    if decided.ended:
        await conn.execute(_END, _arrays(decided.ended))
    if decided.armed:
        await conn.execute(_ARM, _arrays(decided.armed))
    await _write_parked(conn, decided)
    if decided.resettled:
        await conn.execute(_RESETTLE, _arrays(decided.resettled))
    if decided.outcomes:
        await conn.execute(_OUTCOMES, _arrays(decided.outcomes))
    if decided.steps:
        partitions, versions, offsets = _arrays(decided.steps)
        arguments = (decided.processor, decided.topic, partitions, versions, offsets)
        await conn.execute(_FENCE, arguments)
    if decided.events:
        await conn.execute(APPEND, columns(decided.events))
        await conn.execute("notify quire_log")
    if decided.sweep:
        await conn.execute("notify quire_sweep")


async def _write_parked(conn: AsyncConnection, decided: Decided) -> None:
    if decided.unparked is not None:
        await unparking.remove(conn, decided.unparked)
    if decided.parked:
        await parked.insert(conn, decided.parked)
    if decided.failed_again is not None:
        await unparking.failed_again(conn, *decided.failed_again)
    if decided.replaced is not None:
        await unparking.replace(conn, *decided.replaced)


async def rollback(conn: AsyncConnection) -> None:
    """Ends a transaction that failed; raises Unavailable when the connection is gone."""
    with translated():
        await conn.execute("rollback")
