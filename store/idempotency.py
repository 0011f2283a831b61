"""Wishes from outside: the caller's key, the ids made for it, and the whole sealed command."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row

from store.parked import Headers, dump_headers, load_headers


class Wish(NamedTuple):
    """`subject` is the command's stream; `state` is open until Kafka has acknowledged it."""

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


_COLUMNS: LiteralString = (
    "caller, key, command_id, subject, request_hash, state, topic, headers::text, record_key, body,"
    " answer, created_at"
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
) -> Wish:
    return Wish(
        caller, key, command_id, subject, request_hash, state, topic, load_headers(headers),
        record_key, body, answer, created_at,
    )  # fmt: skip


async def add(conn: AsyncConnection, wish: Wish) -> bool:
    """Write the wish down before it is published; False when the key was used already."""
    cursor = await conn.execute(
        "insert into idempotency (caller, key, command_id, subject, request_hash, state, topic,"
        " headers, record_key, body, answer, created_at)"
        " values (%s, %s, %s, %s, %b, %s, %s, %s, %s, %b, %b, %s) on conflict do nothing",
        (*wish[:7], dump_headers(wish.headers), *wish[8:]),
    )
    return cursor.rowcount == 1


async def find(conn: AsyncConnection, caller: str, key: str) -> Wish | None:
    """What this caller asked for under this key."""
    found = await _read(conn, "caller = %s and key = %s", (caller, key))
    return found[0] if found else None


async def answered(conn: AsyncConnection, caller: str, key: str, answer: bytes) -> None:
    """Kafka has it: every later request of this key gets `answer`."""
    await conn.execute(
        "update idempotency set state = 'answered', answer = %b where caller = %s and key = %s",
        (answer, caller, key),
    )


async def of_subject(conn: AsyncConnection, subject: str) -> list[Wish]:
    """The first wishes for a stream, oldest first."""
    return await _read(conn, "subject = %s order by created_at limit 10", (subject,))


async def without_outcome(
    conn: AsyncConnection, after: datetime, before: datetime, limit: int
) -> list[Wish]:
    """Wishes of that time of which nothing became yet, oldest first: to be published again."""
    return await _read(
        conn,
        "created_at > %s and created_at <= %s and not exists"
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
