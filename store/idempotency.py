"""Wishes from outside: the caller's key, the ids made for it, and the whole sealed command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.parked import Headers, dump_headers, load_headers

ACCEPTED = 202


class Wish(NamedTuple):
    """`subject` is the command's stream; `state` is open until Kafka has acknowledged it. `answer`
    is the body of the first answer that was given, `status` its status: None while whoever came
    first still waits; then `answer` is what a 202 would say.

    `created_at` is the database's once the wish is written down: who looks for lost wishes goes
    by that clock, and would never see a row that a slow one put behind the place it has reached.
    """

    caller: str
    key: str
    command_id: UUID
    subject: str
    request_hash: bytes
    state: str
    topic: str
    headers: Headers
    record_key: str
    body: bytes
    answer: bytes | None
    created_at: datetime
    status: int | None = ACCEPTED


_COLUMNS: LiteralString = (
    "caller, key, command_id, subject, request_hash, state, topic, headers::text, record_key, body,"
    " answer, created_at, status"
)


def _wish(
    caller: str,
    key: str,
    command_id: UUID,
    subject: str,
    request_hash: bytes,
    state: str,
    topic: str,
    headers: str,
    record_key: str,
    body: bytes,
    answer: bytes | None,
    created_at: datetime,
    status: int | None,
) -> Wish:
    return Wish(
        caller, key, command_id, subject, request_hash, state, topic, load_headers(headers),
        record_key, body, answer, created_at, status,
    )  # fmt: skip


async def add(conn: AsyncConnection, wish: Wish) -> bool:
    """Write the wish down before it is published; False when the key was used already."""
    cursor = await conn.execute(
        "insert into idempotency (caller, key, command_id, subject, request_hash, state, topic,"
        " headers, record_key, body, answer, status, created_at)"
        " values (%s, %s, %s, %s, %b, %s, %s, %s, %s, %b, %b, %s, clock_timestamp())"
        " on conflict do nothing",
        _row(wish),
    )
    return cursor.rowcount == 1


def _row(wish: Wish) -> tuple[Any, ...]:
    """All columns but the time."""
    return (*wish[:7], dump_headers(wish.headers), *wish[8:11], wish.status)


class Entry(NamedTuple):
    """A wish to write down, and with it the wrapped key of a person nobody wrote down before."""

    wish: Wish
    contact_key: tuple[str, bytes] | None = None


Key = tuple[str, str]
"""A caller and the key that they chose."""

# One statement is one round trip and one commit. Rows go in by key, so that two processes that
# write the same keys wait for each other and never in a circle.
_WRITE: LiteralString = (
    "with marked as (update idempotency i set state = 'answered'"
    " from unnest(%b::text[], %b::text[]) as m(caller, key)"
    " where i.caller = m.caller and i.key = m.key and i.state = 'open'),"
    " new as (insert into idempotency (caller, key, command_id, subject, request_hash, state,"
    " topic, headers, record_key, body, answer, status, created_at)"
    " select caller, key, command_id, subject, request_hash, state, topic, headers::json,"
    " record_key, body, answer, status, clock_timestamp()"
    " from unnest(%b::text[], %b::text[], %b::uuid[], %b::text[], %b::bytea[], %b::text[],"
    " %b::text[], %b::text[], %b::text[], %b::bytea[],"
    " %b::bytea[], %b::smallint[]) as w(caller, key, command_id, subject, request_hash, state,"
    " topic, headers, record_key, body, answer, status) order by caller, key"
    " on conflict do nothing returning caller, key),"
    " contact as (insert into contact_key (subject, wrapped) select k.subject, k.wrapped"
    " from unnest(%b::text[], %b::text[], %b::text[], %b::bytea[]) as k(caller, key, subject,"
    " wrapped) join new using (caller, key) order by k.subject on conflict do nothing)"
    " select caller, key from new"
)


async def write(
    conn: AsyncConnection, entries: Sequence[Entry], answered: Sequence[Key]
) -> set[Key]:
    """Write wishes down and mark others as answered, durably and at once.

    Gives the keys that were free; entries must differ in theirs.
    """
    wishes = [entry.wish for entry in entries]
    rows = [_row(wish) for wish in wishes]
    keys = [(*entry.wish[:2], *entry.contact_key) for entry in entries if entry.contact_key]
    values = [
        *_columns(sorted(answered), 2),
        *_columns(rows, 12),
        *_columns(keys, 4),
    ]
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_WRITE, values)
        return {(row[0], row[1]) for row in await cursor.fetchall()}


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


async def find_all(conn: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Wish]:
    """What was asked for under these keys."""
    callers, names = _columns(keys, 2)
    found = await _read(
        conn,
        "(caller, key) in (select * from unnest(%b::text[], %b::text[]))",
        (callers, names),
    )
    return {(wish.caller, wish.key): wish for wish in found}


async def find(conn: AsyncConnection, caller: str, key: str) -> Wish | None:
    """What this caller asked for under this key."""
    found = await _read(conn, "caller = %s and key = %s", (caller, key))
    return found[0] if found else None


async def settle(conn: AsyncConnection, key: Key, status: int, answer: bytes | None) -> bool:
    """Keep the first answer under a key, for all later requests; False when there is one.

    Without an `answer` its body is the one that is kept already.
    """
    cursor = await conn.execute(
        "update idempotency set status = %s, answer = coalesce(%b, answer)"
        " where caller = %s and key = %s and status is null",
        (status, answer, *key),
    )
    return cursor.rowcount == 1


async def of_subject(conn: AsyncConnection, subject: str) -> list[Wish]:
    """The first wishes for a stream, oldest first."""
    return await _read(conn, "subject = %s order by created_at limit 10", (subject,))


async def without_outcome(
    conn: AsyncConnection, after: datetime, before: datetime, limit: int
) -> list[Wish]:
    """Wishes of that time of which nothing became yet, oldest first: to be published again.

    One whose answer was dropped had its outcome, though that may be gone too (store.forgetting).
    """
    return await _read(
        conn,
        "created_at > %s and created_at <= %s and answer is not null and not exists"
        " (select from outcome where outcome.command_id = idempotency.command_id)"
        " order by created_at limit %s",
        (after, before, limit),
    )


async def _read(
    conn: AsyncConnection, condition: LiteralString, values: Sequence[object]
) -> list[Wish]:
    async with conn.cursor(binary=True, row_factory=args_row(_wish)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from idempotency where {condition}", values)
        return await cursor.fetchall()
