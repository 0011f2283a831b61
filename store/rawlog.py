"""The log as raw columns, read ahead by a thread: for those who read all of it."""

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any, LiteralString, NamedTuple, Self

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.rows import args_row

from store.seals import SELECT, Seal

PG_EPOCH = 946_684_800_000_000  # 2000-01-01, whence Postgres counts, in microseconds since 1970
_STEP = 5_000
_AHEAD = 4
_COLUMNS: LiteralString = (
    "position, stream, version, type, uuid_send(id), timestamptz_send(occurred_at),"
    " timestamptz_send(recorded_at), correlation, uuid_send(causation), source, imported,"
    " convert_to(data::text, 'UTF8'), hash"
)


class Chunk(NamedTuple):
    """The facts of a range of positions, and the seals that end in it."""

    rows: list[tuple[Any, ...]]
    seals: list[Seal]


class RawLog:
    """One snapshot of the log and of the rows that must agree with it."""

    def __init__(self, dsn: str, *, after: int = 0) -> None:
        self._dsn = dsn
        self._after = after
        self._queue: Queue[Chunk | BaseException | None] = Queue(_AHEAD)
        self._stop = Event()
        self._thread = Thread(target=self._read, name="reader", daemon=True)

    def __enter__(self) -> Self:
        self._conn = _snapshot(self._dsn)
        one = self._one
        self.head: int = one("select coalesce(max(position), 0) from event")
        self.sealed_to: int = one("select coalesce(max(last_position), 0) from seal")
        self.stock = self._all("select sku, on_hand, reserved, version, head from stock_level")
        self.timers = self._all("select stream, name from timer")
        self.seals_beyond = self._seals(self.head, self.sealed_to)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._conn.close()

    def chunks(self) -> Iterator[Chunk]:
        """All facts in order."""
        while (chunk := self._queue.get()) is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    def _read(self) -> None:
        try:
            for begin in range(self._after, self.head, _STEP):
                end = min(begin + _STEP, self.head)
                with self._conn.cursor(binary=True) as cursor:
                    cursor.execute(
                        f"select {_COLUMNS} from event"
                        " where position > %s and position <= %s order by position",
                        (begin, end),
                    )
                    rows = cursor.fetchall()
                if not self._put(Chunk(rows, self._seals(begin, end))):
                    return
            self._put(None)
        except BaseException as fault:  # whoever reads the queue raises it
            self._put(fault)

    def _put(self, item: Chunk | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def _seals(self, begin: int, end: int) -> list[Seal]:
        with self._conn.cursor(binary=True, row_factory=args_row(Seal)) as cursor:
            cursor.execute(
                f"{SELECT} where last_position > %s and last_position <= %s order by number",
                (begin, end),
            )
            return cursor.fetchall()

    def _one(self, query: LiteralString) -> Any:
        return self._all(query)[0][0]

    def _all(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(query).fetchall()


def _snapshot(dsn: str) -> Connection:
    conn = psycopg.connect(dsn, application_name="quire-audit")
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    conn.read_only = True
    return conn
