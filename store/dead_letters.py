"""Dead letters among the parked messages: sealed whole, each under a key of its own."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from store import parked
from store.commit import Decided, NewOutcome, begin, commit, rollback
from store.errors import Stale, Unfit, translated
from store.parked import NewParked, Parked, dump_headers
from store.vault import Vault

PROCESSOR = "quire-dead-letters"
AT_ONCE = 100

Headers = list[tuple[str, bytes]]


class Letter(NamedTuple):
    """A record of the topic of dead letters, and what may be told of it in the clear."""

    id: UUID
    topic: str
    partition: int
    key: str
    kind: str
    cause: str
    error: str
    told: Headers
    record: "Record"


class Record(msgspec.Struct, frozen=True):
    """The whole record, as it is sealed."""

    key: bytes
    headers: Headers
    value: bytes


async def park(conn: AsyncConnection, vault: Vault, letter: Letter, at: datetime) -> None:
    """Set it aside, with the outcome that drops a repeat. Raises Stale when it is there already."""
    text, wrapped = vault.seal_first(_subject(letter.id), msgspec.json.encode(letter.record))
    row = NewParked(
        PROCESSOR, letter.topic, letter.partition, letter.key, letter.id, letter.kind,
        letter.cause, letter.error, dump_headers(letter.told), text.encode(), at,
    )  # fmt: skip
    decided = Decided(PROCESSOR, letter.topic, [])
    decided.parked = [row]
    decided.outcomes = [NewOutcome(letter.id, "parked", letter.cause, None, None)]
    with translated():
        await begin(conn)
    try:
        with translated():
            await conn.execute(
                "insert into contact_key (subject, wrapped) values (%s, %b) on conflict do nothing",
                (_subject(letter.id), wrapped),
            )
        await commit(conn, decided, begun=True)
    except (Stale, Unfit):
        await rollback(conn)
        raise


async def wished(conn: AsyncConnection) -> list[Parked]:
    """The letters that somebody wants redriven or discarded, oldest first."""
    with translated():
        cursor = await conn.execute(
            "select id from parked where processor = %s and wish is not null order by id limit %s",
            (PROCESSOR, AT_ONCE),
        )
        ids = [row[0] for row in await cursor.fetchall()]
        found = [await parked.show(conn, id) for id in ids]
    return [row for row in found if row is not None and row.wish is not None]


async def open_letter(conn: AsyncConnection, vault: Vault, row: Parked) -> Record:
    """The record itself; raises CannotOpen."""
    with translated():
        clear = await vault.open(conn, _subject(row.command_id), (row.body or b"").decode())
    return msgspec.json.decode(clear, type=Record)


async def stays(conn: AsyncConnection, row: Parked, cause: str, error: str) -> None:
    """It could not be redriven, and waits for a person again."""
    with translated():
        decided = Decided(PROCESSOR, row.topic, [])
        decided.failed_again = (row, cause, error)
        await commit(conn, decided, begun=False)


async def leaves(conn: AsyncConnection, row: Parked) -> None:
    """It was redriven or discarded: off the list, and nobody can open it any more."""
    decided = Decided(PROCESSOR, row.topic, [])
    if row.wish == "redrive":
        decided.outcomes = [NewOutcome(row.command_id, "applied", None, None, None)]
    decided.resettle(row)
    with translated():
        await begin(conn)
        await conn.execute(
            "delete from contact_key where subject = %s", (_subject(row.command_id),)
        )
    await commit(conn, decided, begun=True)


def _subject(id: UUID) -> str:
    return f"dead-letter:{id}"
