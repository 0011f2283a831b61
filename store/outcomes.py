"""What became of each command: one row under its id."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection


class Outcome(NamedTuple):
    """`result` is applied, refused, noop, parked or discarded; `version` the first one written."""

    result: str
    code: str | None
    version: int | None
    detail: str | None


# The range beside the list lets Postgres skip the parts that cannot hold any of the ids.
_FIND = (
    "select command_id, result, code, version, detail from outcome"
    " where command_id = any(%b::uuid[]) and command_id between %b and %b"
)


_number = attrgetter("int")  # ids compare themselves as these, in Python


async def find(conn: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """The outcomes that exist already, by command id."""
    if not ids:
        return {}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_FIND, (list(ids), min(ids, key=_number), max(ids, key=_number)))
        return {row[0]: Outcome(*row[1:]) for row in await cursor.fetchall()}
