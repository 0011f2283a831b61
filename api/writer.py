"""Writes wishes down: those that come while a write is under way share the next one."""

import asyncio
import logging
from typing import NamedTuple

from store import connect, idempotency
from store.errors import Stale, Unavailable, Unfit, translated
from store.idempotency import Entry, Key, Wish

log = logging.getLogger("quire.api")

GAP_SECONDS = 0.005  # from the begin of one write to the next: a busy door shares commits
MARK_SECONDS = 0.02  # how long a mark waits for a write that takes it along
UNMARKED_SECONDS = 0.5
TRIES = 3

Waiting = tuple[Entry, "asyncio.Future[Stored]"]


class Stored(NamedTuple):
    """What stands under a key now, and whether it is what was to be written."""

    wish: Wish
    new: bool


class Writer:
    """One connection, one statement at a time, each with all that waits by then."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._conn: connect.AsyncConnection | None = None
        self._waiting: list[Waiting] = []
        self._marks: dict[Key, None] = {}
        self._wanted = asyncio.Event()

    async def add(self, entry: Entry) -> Stored:
        """Return when the wish is durable, or with the one that stands under its key already."""
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._wanted.set()
        return await future

    def mark(self, key: Key) -> None:
        """Kafka has it. Soon the row says so; until then this process knows."""
        if not self._marks:
            asyncio.get_running_loop().call_later(MARK_SECONDS, self._wanted.set)
        self._marks[key] = None

    def marked(self, key: Key) -> bool:
        """Whether Kafka has it although the row may not say so yet."""
        return key in self._marks

    async def run(self) -> None:
        """Write for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            again_at = loop.time() + GAP_SECONDS
            await self._write_all()
            await asyncio.sleep(max(0.0, again_at - loop.time()))

    async def close(self) -> None:
        """Write the last marks."""
        if self._marks:
            await self._write_all()
        await self._disconnect()

    async def _write_all(self) -> None:
        taken, self._waiting = self._waiting, []
        groups: dict[Key, list[Waiting]] = {}
        for each in taken:
            groups.setdefault(each[0].wish[:2], []).append(each)
        marks = list(self._marks)
        try:
            await self._write(list(groups.values()), marks)
        except Unavailable as fault:
            log.warning("wishes could not be written down: %s", fault)
            if marks:
                asyncio.get_running_loop().call_later(UNMARKED_SECONDS, self._wanted.set)
            return
        for key in marks:
            del self._marks[key]
        if self._marks:
            self._wanted.set()

    async def _write(self, groups: list[list[Waiting]], marks: list[Key]) -> None:
        """Each group wants the same key: the first may have it, the others find it taken."""
        try:
            stored = await self._durable([group[0][0] for group in groups], marks)
        except Unfit as fault:
            if len(groups) < 2:
                return _fail(groups, fault)
            for group in groups:  # one of them is to blame, the others are not
                await self._write([group], [])
            return await self._write([], marks)
        except Unavailable as fault:
            _fail(groups, fault)
            raise
        for group, first in zip(groups, stored, strict=True):
            for number, (_, future) in enumerate(group):
                if not future.done():
                    future.set_result(Stored(first.wish, new=first.new and number == 0))
        return None

    async def _durable(self, entries: list[Entry], marks: list[Key]) -> list[Stored]:
        """Doing it twice changes nothing, so a lost connection or a deadlock is tried again."""
        for _ in range(TRIES - 1):
            try:
                return await self._once(entries, marks)
            except (Stale, Unavailable) as fault:
                log.info("writing again: %s", fault)
                await self._disconnect()
        try:
            return await self._once(entries, marks)
        except Stale as fault:
            raise Unavailable(str(fault)) from fault

    async def _once(self, entries: list[Entry], marks: list[Key]) -> list[Stored]:
        with translated():
            if self._conn is None:
                self._conn = await connect.connect(
                    self._dsn, name="quire api writer", index_only=True
                )
            new = await idempotency.write(self._conn, entries, marks)
            taken = [entry.wish[:2] for entry in entries if entry.wish[:2] not in new]
            there = await idempotency.find_all(self._conn, taken) if taken else {}
        return [_stored(entry, there) for entry in entries]

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()


def _stored(entry: Entry, there: dict[Key, Wish]) -> Stored:
    wish = there.get(entry.wish[:2])
    if wish is None:
        return Stored(entry.wish, new=True)
    # A first try may have landed although its answer was lost.
    ours = (wish.command_id, wish.body) == (entry.wish.command_id, entry.wish.body)
    return Stored(wish, new=ours)


def _fail(groups: list[list[Waiting]], fault: Exception) -> None:
    for group in groups:
        for _, future in group:
            if not future.done():
                future.set_exception(fault)
