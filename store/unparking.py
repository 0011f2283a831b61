"""How parked messages leave, and what is kept of that: who wanted it, when, why."""

from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.parked import COLUMNS, Headers, NewParked, Parked, dump_headers

_KEPT: LiteralString = (
    "processor, topic, partition, key, command_id, kind, cause, error, headers, body, attempts,"
    " parked_at, wish, wished_by, wished_because, wished_at, edit_id"
)
_VALUES: LiteralString = (
    "%b, %b, %b, %b, %b, %b, %b, %b, %b, %b::text::json, %b, %b, %b, %b, %b, %b, %b, %b"
)
# What stands in the history is the wish that was tried, whatever somebody wished meanwhile.
_REMOVE: LiteralString = (
    "with gone as (delete from parked where id = %b returning id)"
    f" insert into unparked (parked_id, {_KEPT}) select {_VALUES} from gone"
    " where %b::text is not null"
)
_KEEP_FAILED: LiteralString = (
    f"insert into unparked (parked_id, {_KEPT}, failed_cause, failed_error)"
    f" values ({_VALUES}, %b, %b)"
)
# Of a message that left meanwhile nothing is said to have failed.
_FAILED: LiteralString = (
    "with stays as (update parked set attempts = attempts + 1, cause = %b, error = %b,"
    " wish = case when wished_at is not distinct from %b then null else wish end"
    " where id = %b returning id)"
    f" insert into unparked (parked_id, {_KEPT}, failed_cause, failed_error)"
    f" select {_VALUES}, %b, %b from stays where %b::text is not null"
)
# The fault of the edited message stands in the place of the first one; a wish that came after the
# one tried stays.
_REPLACE: LiteralString = (
    "update parked set command_id = %b, kind = %b, cause = %b, error = %b,"
    " headers = %b::text::json, body = %b, attempts = 1, parked_at = %b,"
    " wish = case when wished_at = %b then null else wish end where id = %b"
)


class Edit(NamedTuple):
    """The message that takes a parked one's place."""

    id: UUID
    headers: Headers
    body: bytes


class Unparked(NamedTuple):
    """A message that somebody moved, or tried to; `result` and `code` are what became of it,
    `edit_id` the message that took its place, `edit_result` what became of that. `failed_cause`
    and `failed_error` say why what was tried failed again."""

    parked_id: int
    processor: str
    topic: str
    key: str
    command_id: UUID
    kind: str
    cause: str
    error: str
    headers: str
    body: bytes | None
    attempts: int
    parked_at: datetime
    wish: str
    wished_by: str
    wished_because: str
    wished_at: datetime
    ended_at: datetime
    result: str | None
    code: str | None
    edit_id: UUID | None
    edit_result: str | None
    failed_cause: str | None
    failed_error: str | None


async def wish_edit(
    conn: AsyncConnection, id: int, seen: UUID, edit: Edit, *, by: str, because: str, at: datetime
) -> Parked | None:
    """Hands an edited message in for the one that was `seen` in this place; the owner needs a
    nudge then. None when another one, or none, is parked there by now."""
    async with conn.cursor(row_factory=args_row(Parked)) as cursor:
        await cursor.execute(
            "update parked set wish = 'edit', wished_by = %s, wished_because = %s, wished_at = %s,"
            " edit_id = %s, edit_headers = %s::text::json, edit_body = %b"
            f" where id = %s and command_id = %s returning {COLUMNS}",
            (by, because, at, edit.id, dump_headers(edit.headers), edit.body, id, seen),
        )
        return await cursor.fetchone()


async def remove(conn: AsyncConnection, row: Parked) -> None:
    """Takes a message off the list. Part of the engine's transaction."""
    await conn.execute(_REMOVE, (row.id, *_kept(row), row.wish))


async def failed_again(conn: AsyncConnection, row: Parked, cause: str, error: str) -> None:
    """A redrive that did not work. A wish that came after the one tried stays."""
    kept = (*_kept(row), cause, error, row.wish)
    await conn.execute(_FAILED, (cause, error, row.wished_at, row.id, *kept))


async def replace(conn: AsyncConnection, row: Parked, again: NewParked) -> None:
    """An edited message that cannot be decided either: it stands where the first one stood."""
    await conn.execute(_KEEP_FAILED, (*_kept(row), again.cause, again.error))
    new = (
        again.command_id, again.kind, again.cause, again.error, again.headers, again.body,
        again.parked_at, row.wished_at, row.id,
    )  # fmt: skip
    await conn.execute(_REPLACE, new)


def _kept(row: Parked) -> tuple[object, ...]:
    return (
        row.id, row.processor, row.topic, row.partition, row.key, row.command_id, row.kind,
        row.cause, row.error, row.headers, row.body, row.attempts, row.parked_at, row.wish,
        row.wished_by, row.wished_because, row.wished_at, row.edit_id,
    )  # fmt: skip


async def forget(conn: AsyncConnection, age: timedelta, limit: int) -> int:
    """Drop the oldest of what was moved so long ago, by the database's clock; says how many."""
    cursor = await conn.execute(
        "delete from unparked where id in (select id from unparked"
        " where ended_at < clock_timestamp() - %s order by ended_at limit %s)",
        (age, limit),
    )
    return cursor.rowcount


async def history(
    conn: AsyncConnection, *, parked_id: int | None = None, limit: int = 100
) -> list[Unparked]:
    """What people moved or tried to, newest first; of one place in the queue, or of all."""
    async with conn.cursor(row_factory=args_row(Unparked)) as cursor:
        await cursor.execute(
            "select u.parked_id, u.processor, u.topic, u.key, u.command_id, u.kind, u.cause,"
            " u.error, u.headers::text, u.body, u.attempts, u.parked_at, u.wish, u.wished_by,"
            " u.wished_because, u.wished_at, u.ended_at, case when u.wish <> 'edit' and"
            " u.failed_cause is not null then 'parked' else o.result end, case when u.wish <>"
            " 'edit' and u.failed_cause is not null then u.failed_cause else o.code end,"
            " u.edit_id, case when u.failed_cause is null then e.result else 'parked' end,"
            " u.failed_cause, u.failed_error"
            " from unparked u left join outcome o on o.command_id = u.command_id"
            " left join outcome e on e.command_id = u.edit_id"
            " where %s::bigint is null or u.parked_id = %s order by u.id desc limit %s",
            (parked_id, parked_id, limit),
        )
        return await cursor.fetchall()
