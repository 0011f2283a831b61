"""Parked messages: set aside with their cause, and those of the same key behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection, errors
from psycopg.rows import args_row

from store.errors import Stale

# The cause of those that only wait, and the message that makes an owner look at its wishes.
BEHIND = "behind"
NUDGE = "quire.parked.nudge"
HOLD_WAIT: LiteralString = "1s"
Headers = list[tuple[str, bytes]]


class NewParked(NamedTuple):
    """A message about to be parked; `headers` and `body` are the record's own."""

    processor: str
    topic: str
    partition: int
    key: str
    command_id: UUID
    kind: str
    cause: str
    error: str
    headers: str
    body: bytes | None
    parked_at: datetime


class Parked(NamedTuple):
    """A parked message; `wish` is redrive, discard or edit once somebody decided.

    An edit has its own `edit_id`, headers and body: the message that takes this one's place.
    """

    id: int
    processor: str
    topic: str
    partition: int
    key: str
    command_id: UUID
    kind: str
    cause: str
    error: str
    headers: str
    body: bytes | None
    attempts: int
    parked_at: datetime
    wish: str | None
    wished_by: str | None
    wished_because: str | None
    wished_at: datetime | None
    edit_id: UUID | None
    edit_headers: str | None
    edit_body: bytes | None

    @property
    def edited(self) -> "Parked":
        """The message that an edit puts here, as if it had been parked in this place."""
        assert self.edit_id is not None
        assert self.edit_headers is not None
        return self._replace(
            command_id=self.edit_id, headers=self.edit_headers, body=self.edit_body
        )

    @property
    def may_move(self) -> bool:
        """As the first of its key: somebody wished it, or it only stood behind one that is gone."""
        return self.wish is not None or self.cause == BEHIND

    @property
    def record_headers(self) -> Headers:
        return load_headers(self.headers)


class Marked(NamedTuple):
    """A message that somebody decided about, and where its owner is nudged."""

    id: int
    topic: str
    key: str


COLUMNS = (
    "id, processor, topic, partition, key, command_id, kind, cause, error, headers::text, body,"
    " attempts, parked_at, wish, wished_by, wished_because, wished_at, edit_id,"
    " edit_headers::text, edit_body"
)


def dump_headers(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """As JSON text: a list of [name, base64 value]."""
    return msgspec.json.encode([[name, value or b""] for name, value in headers]).decode()


def load_headers(text: str) -> Headers:
    return msgspec.json.decode(text, type=list[tuple[str, bytes]])


async def keys(conn: AsyncConnection, processor: str) -> set[str]:
    """The keys behind whose parked messages later ones have to wait."""
    cursor = await conn.execute(
        "select distinct key from parked where processor = %s", (processor,)
    )
    return {row[0] for row in await cursor.fetchall()}


async def movable(conn: AsyncConnection, processor: str) -> dict[str, int]:
    """The keys whose first message may move, with their partition."""
    cursor = await conn.execute(
        "select key, partition from (select distinct on (key) key, partition, wish, cause"
        " from parked where processor = %s order by key, id) as head"
        " where wish is not null or cause = %s",
        (processor, BEHIND),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def hold_first(conn: AsyncConnection, processor: str, key: str) -> Parked | None:
    """The same, and nobody changes its wish before this transaction ends: who hands an edit in
    meanwhile hears that it comes too late, or has it tried next. It has to be the first lock of its
    transaction (docs/adr/0021-a-redrive-locks-its-parked-row-first.md).

    Raises Stale when somebody else holds it for longer than `HOLD_WAIT`: an owner before this one
    that is frozen while it asks outside, whose session Postgres ends in a minute.
    """
    await conn.execute(f"set local lock_timeout = '{HOLD_WAIT}'")
    try:
        row = await first(conn, processor, key, held=True)
    except errors.LockNotAvailable as error:
        raise Stale(f"another owner still holds the first parked message of {key}") from error
    await conn.execute("set local lock_timeout = default")
    return row


async def first(
    conn: AsyncConnection, processor: str, key: str, *, held: bool = False
) -> Parked | None:
    """The parked message of a key that all others of it wait for."""
    lock: LiteralString = " for update" if held else ""
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from parked where processor = %s and key = %s order by id"
            f" limit 1{lock}",
            (processor, key),
        )
        return await cursor.fetchone()


async def listing(
    conn: AsyncConnection, *, processor: str | None = None, after: int = 0, limit: int = 100
) -> list[Parked]:
    """The parked messages, oldest first."""
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from parked where id > %s"
            " and (%s::text is null or processor = %s) order by id limit %s",
            (after, processor, processor, limit),
        )
        return await cursor.fetchall()


async def show(conn: AsyncConnection, id: int) -> Parked | None:
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(f"select {COLUMNS} from parked where id = %s", (id,))
        return await cursor.fetchone()


async def wish(
    conn: AsyncConnection, ids: Sequence[int], wish: str, *, by: str, because: str, at: datetime
) -> list[Marked]:
    """Marks messages for their owner to redrive or discard; the owner needs a nudge then.

    A message that is not parked any more is left out: what was handled is never handled again.
    """
    async with conn.cursor(row_factory=args_row(Marked)) as cursor:
        await cursor.execute(
            "with meant as (select id from parked where id = any(%s) order by id for update)"
            " update parked p set wish = %s, wished_by = %s, wished_because = %s, wished_at = %s,"
            " edit_id = null, edit_headers = null, edit_body = null"
            " from meant where p.id = meant.id returning p.id, p.topic, p.key",
            (list(ids), wish, by, because, at),
        )
        return await cursor.fetchall()


async def insert(conn: AsyncConnection, rows: Sequence[NewParked]) -> None:
    """Parks messages, in the order given. Part of the engine's transaction."""
    arrays: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    await conn.execute(
        "insert into parked (processor, topic, partition, key, command_id, kind, cause, error,"
        " headers, body, parked_at) select processor, topic, partition, key, command_id, kind,"
        " cause, error, headers::json, body, parked_at from unnest(%b::text[], %b::text[],"
        " %b::int[], %b::text[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[],"
        " %b::bytea[], %b::timestamptz[]) with ordinality as n(processor, topic, partition, key,"
        " command_id, kind, cause, error, headers, body, parked_at, n) order by n.n",
        arrays,
    )
