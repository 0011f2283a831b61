"""Facts of the log decoded one after the other, for who reads most of it: streamed by COPY."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from struct import Struct
from typing import Any, LiteralString

import msgspec
from psycopg import AsyncConnection
from psycopg.sql import Composed

from domain.catalog import EVENTS
from domain.message import Event
from store import rawlog
from store.codec import UPCASTERS, decode_event

_FACT: LiteralString = "position, occurred_at, recorded_at, imported, type, data"
_fact = Struct(">2x4xq4xq4xq4x?i")  # as far as the length of the type
_PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Where and when a fact stands; times as Postgres counts them, made readable when asked."""

    position: int
    occurred: int
    recorded: int
    imported: bool

    @property
    def occurred_at(self) -> datetime:
        return moment(self.occurred)

    @property
    def recorded_at(self) -> datetime:
        return moment(self.recorded)


def moment(microseconds: int) -> datetime:
    """A time as Postgres counts it."""
    return _PG_EPOCH + timedelta(0, 0, microseconds)


Decode = Callable[[bytes], Event]
Facts = Iterable[tuple[Stamp, Event]]


async def feed(
    conn: AsyncConnection,
    take: Callable[[Facts], None],
    after: int,
    until: int,
    types: Iterable[str] | None = None,
) -> int:
    """Let `take` go through the facts in (after, until], in order; gives how many they were.

    With `types` only facts that are read as one of these. Nothing else runs on the event loop
    meanwhile. Raises UnknownType, BadData.
    """
    kinds = None if types is None else stored_as(types)
    query = rawlog.copy_of(_FACT, after, until, kinds)
    return await streamed(conn, query, lambda rows: take(_decoded(rows)))


async def streamed(
    conn: AsyncConnection, query: Composed, take: Callable[[Iterator[bytes]], None]
) -> int:
    """Let `take` go through the rows of a binary COPY; gives how many they were."""
    async with conn.cursor() as cursor, cursor.copy(query) as copy:
        take(rawlog.rows(conn.pgconn, bytes(await copy.read())))
        await copy.read()  # the end, with the count
        return cursor.rowcount


def _decoded(rows: Iterable[bytes]) -> Iterator[tuple[Stamp, Event]]:
    """A decoder is chosen once a type."""
    fixed, size = _fact.unpack_from, _fact.size
    decoders = _Decoders()
    for row in rows:
        position, occurred, recorded, imported, length = fixed(row)
        end = size + length
        kind, data = row[size:end], row[end + 4 :]
        try:
            event = decoders[kind](data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            event = decode_event(kind.decode(), data)  # says what it is that cannot be read
        yield Stamp(position, occurred, recorded, imported), event


class _Decoders(dict[bytes, Decode]):
    """By stored type; what is not of today's shape goes the long way, through the upcasters."""

    def __missing__(self, kind: bytes) -> Decode:
        name = kind.decode()
        shape = EVENTS.get(name)
        decode: Any = msgspec.json.Decoder(shape).decode if shape else partial(decode_event, name)
        self[kind] = decode
        return decode


def stored_as(types: Iterable[str], older: Mapping[str, tuple[str, Any]] = UPCASTERS) -> list[str]:
    """The names under which facts of these types may stand in the log."""
    names = set(types)
    while more := {old for old, (newer, _) in older.items() if newer in names} - names:
        names |= more
    return sorted(names)
