"""The log as raw columns, streamed by COPY: for those who read all of it."""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from struct import Struct
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import args_row

from store.seals import SELECT, Seal

STEP = 50_000
_PG_EPOCH = 946_684_800_000_000  # 2000-01-01, whence Postgres counts, in microseconds since 1970
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = len(_SIGNATURE) + 8
_END = b"\xff\xff"
# The columns of a fixed size come first, each behind its length, so that one unpack takes them all:
# position, version, id, occurred_at, recorded_at, causation, imported, hash.
_FIXED = Struct(">2x4xq4xi4x16s4xq4xq4x16s4x?4x32s")
_LENGTH = Struct(">i")
_COPY: LiteralString = (
    "copy (select position, version, id, occurred_at, recorded_at, causation, imported, hash,"
    " stream || E'\\t' || type || E'\\t' || correlation || E'\\t' || source, data from event"
    " where position > {} and position <= {} and {} order by position) to stdout (format binary)"
)

# position, version, id, occurred, recorded (microseconds since 1970), causation, imported, hash,
# the four names separated by tabs, data
Raw = tuple[int, int, bytes, int, int, bytes, bool, bytes, str, bytes]


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

    def rows(self, after: int, up_to: int | None, kinds: list[str] | None = None) -> Iterator[Raw]:
        """The facts of a range, in order; Postgres reads on while the caller works."""
        fixed, size = _FIXED.unpack_from, _FIXED.size
        wanted = sql.SQL("true" if kinds is None else "type = any({})").format(kinds)
        query = sql.SQL(_COPY).format(after, self.head if up_to is None else up_to, wanted)
        with self._conn.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                row = bytes(block)
                if row.startswith(_SIGNATURE):
                    row = row[_HEADER:]
                if row == _END or not row:
                    continue
                position, version, id, occurred, recorded, causation, imported, link = fixed(row)
                [length] = _LENGTH.unpack_from(row, size)
                end = size + 4 + length
                yield (
                    position,
                    version,
                    id,
                    occurred + _PG_EPOCH,
                    recorded + _PG_EPOCH,
                    causation,
                    imported,
                    link,
                    row[size + 4 : end].decode(),
                    row[end + 4 :],
                )

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
