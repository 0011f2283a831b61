"""The log as raw columns, streamed by COPY: for those who read all of it."""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from struct import Struct
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.pq.abc import PGconn
from psycopg.rows import args_row

from store.chain import FIELDS
from store.seals import SELECT, Seal

STEP = 50_000
PG_EPOCH = 946_684_800_000_000  # 2000-01-01, whence Postgres counts, in microseconds since 1970
_HEADER = 19  # bytes: the signature, flags, no extension
_END = b"\xff\xff"
_COPY: LiteralString = (
    "copy (select {} from event where position > {} and position <= {} and {} order by position)"
    " to stdout (format binary)"
)
_FACT: LiteralString = f"position, hash, {FIELDS}"
_ENTRY: LiteralString = "position, recorded_at, imported, type, data"
_entry = Struct(">2x4xq4xq4x?i")  # as far as the length of the type

# position, recorded (microseconds since 1970), imported, type, data
Entry = tuple[int, int, bool, bytes, bytes]


class RawLog:
    """One snapshot of the log and of the rows that must agree with it."""

    def __init__(self, dsn: str, *, snapshot: str = "") -> None:
        self._dsn = dsn
        self.snapshot = snapshot

    def __enter__(self) -> Self:
        self._conn = _snapshot(self._dsn)
        if self.snapshot:
            query = sql.SQL("set transaction snapshot {}").format(self.snapshot)
            self._conn.execute(query)
        else:
            self.snapshot = str(self._one("select pg_export_snapshot()"))
        self.head: int = self._one("select coalesce(max(position), 0) from event")
        self.sealed_to: int = self._one("select coalesce(max(last_position), 0) from seal")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._conn.close()

    def ranges(self) -> list[tuple[int, int | None]]:
        """The ranges (after, up to) that together are the whole log, the last one without an end.

        They are cut where a seal ends, as far as there are seals.
        """
        ends: list[int] = []
        for (end,) in self._all("select last_position from seal order by number"):
            if end < self.head and end >= (ends[-1] if ends else 0) + STEP:
                ends.append(end)
        ends += range(max(self.sealed_to, ends[-1] if ends else 0) + STEP, self.head, STEP)
        return list(zip([0, *ends], [*ends, None], strict=True))

    def facts(self, after: int, up_to: int | None) -> Iterator[bytes]:
        """The facts of a range, in order, as Postgres sends them: a count of the fields in two
        bytes, position, hash, and what the hash covers."""
        return self._rows(facts_of(after, self._end(up_to)))

    def entries(self, after: int, up_to: int | None, kinds: list[str]) -> Iterator[Entry]:
        """Those facts of a range that are of some types, in order."""
        fixed, size = _entry.unpack_from, _entry.size
        for row in self._rows(copy_of(_ENTRY, after, self._end(up_to), kinds)):
            position, recorded, imported, length = fixed(row)
            end = size + length
            yield position, recorded + PG_EPOCH, imported, row[size:end], row[end + 4 :]

    def _end(self, up_to: int | None) -> int:
        return self.head if up_to is None else up_to

    def _rows(self, query: sql.Composed) -> Iterator[bytes]:
        with self._conn.cursor() as cursor, cursor.copy(query) as copy:
            yield from rows(self._conn.pgconn, bytes(copy.read()))
            copy.read()

    def seal_before(self, after: int) -> Seal | None:
        """The last seal of what comes before a range."""
        with self._conn.cursor(binary=True, row_factory=args_row(Seal)) as cursor:
            cursor.execute(
                f"{SELECT} where last_position <= %s order by number desc limit 1", (after,)
            )
            return cursor.fetchone()

    def seals(self, after: int, up_to: int | None) -> list[Seal]:
        """The seals that end in a range, or anywhere after."""
        with self._conn.cursor(binary=True, row_factory=args_row(Seal)) as cursor:
            cursor.execute(
                f"{SELECT} where last_position > %s and last_position <= %s order by number",
                (after, 2**62 if up_to is None else up_to),
            )
            return cursor.fetchall()

    def before_the_first(self) -> list[tuple[int, str]]:
        """Position and stream of facts that stand where no fact can: the log begins at 1."""
        return self._all("select position, stream from event where position < 1 order by position")

    def stock(self) -> list[tuple[Any, ...]]:
        """The stock rows: sku, on hand, reserved, version, head."""
        return self._all("select sku, on_hand, reserved, version, head from stock_level")

    def timers(self) -> list[tuple[Any, ...]]:
        """The armed timers: stream, name."""
        return self._all("select stream, name from timer")

    def _one(self, query: LiteralString) -> Any:
        return self._all(query)[0][0]

    def _all(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(query).fetchall()


def copy_of(fields: LiteralString, after: int, up_to: int, kinds: list[str] | None) -> sql.Composed:
    """COPY of the facts in (after, up to], in order; with `kinds` only of these types."""
    wanted = sql.SQL("true" if kinds is None else "type = any({})").format(kinds)
    return sql.SQL(_COPY).format(sql.SQL(fields), after, up_to, wanted)


def facts_of(after: int, up_to: int) -> sql.Composed:
    """COPY of the facts in (after, up_to], in order: position, hash, and what the hash covers."""
    return copy_of(_FACT, after, up_to, None)


def rows(libpq: PGconn, first: bytes) -> Iterator[bytes]:
    """The rows of a binary COPY that has begun with `first`, as Postgres sends them.

    Postgres reads on while the caller works. libpq is asked itself: it waits for the next row at
    half of what a turn of `for row in copy` costs.
    """
    next_row = libpq.get_copy_data
    row = first[_HEADER:]  # the first row may come with the header
    while row != _END:
        if row:
            yield row
        length, block = next_row(0)
        if length <= 0:
            raise psycopg.OperationalError(libpq.get_error_message())
        row = bytes(block)


@contextmanager
def no_garbage() -> Generator[None]:
    """Nothing here makes cycles, and the collector would walk every stream's entry."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _snapshot(dsn: str) -> Connection:
    conn = psycopg.connect(dsn, application_name="quire-audit")
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    conn.read_only = True
    return conn
