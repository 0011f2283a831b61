"""The newest facts, read once for all live clients.

Each client keeps its own position and takes what it can: from the window of newest facts, or from
the log when it is further behind. So a slow client holds nobody up and costs no memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from api.fact_text import text_of
from api.wakeups import Wakeups, either
from store import log as facts
from store.connect import AsyncConnection
from store.errors import Unavailable
from store.log import Recorded

log = logging.getLogger("quire.api")

WINDOW = 2_000
PAGE = 500


class Entry(NamedTuple):
    """A fact ready to send."""

    position: int
    order_id: str
    text: bytes


def entry(recorded: Recorded) -> Entry:
    order_id = getattr(recorded.event, "order_id", "")
    return Entry(recorded.position, order_id, text_of(recorded))


class Feed:
    """The shared tailer and its window."""

    def __init__(
        self,
        db: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        wakeups: Wakeups,
    ) -> None:
        self._db = db
        self._wakeups = wakeups
        self._window: deque[Entry] = deque(maxlen=WINDOW)
        self._begin = 0  # every fact after this one, up to `head`, is in the window
        self.head = 0
        self.closed = False
        self._clients = 0
        self._arrived = asyncio.Event()
        self._wanted = asyncio.Event()

    def come(self) -> None:
        self._clients += 1
        self._wanted.set()

    def leave(self) -> None:
        self._clients -= 1
        if not self._clients:
            self._wanted.clear()

    def close(self) -> None:
        """End every live line, so that the server can leave."""
        self.closed = True
        self._arrived.set()

    async def run(self) -> None:
        """Tail the log as long as anyone looks."""
        while True:
            if not self._wanted.is_set():
                await self._wanted.wait()
                self._window.clear()
                self.head = 0
            woken = self._wakeups.next()
            try:
                more = await self._read()
            except Unavailable as fault:
                log.warning("reading on soon: %s", fault)
                more = False
            if not more:
                await either(woken)

    async def _read(self) -> bool:
        async with self._db() as conn:
            if not self.head:
                self.head = self._begin = await facts.head(conn)
            found = await facts.tail(conn, self.head, PAGE)
        for recorded in found:
            if len(self._window) == WINDOW:
                self._begin = self._window[0].position
            self._window.append(entry(recorded))
        if found:
            self.head = found[-1].position
            arrived, self._arrived = self._arrived, asyncio.Event()
            arrived.set()
        return len(found) == PAGE

    def arrival(self) -> asyncio.Event:
        """Set when facts come in: take it before looking."""
        return self._arrived

    async def after(self, position: int) -> Sequence[Entry]:
        """The next facts after a position, as many as there are at hand."""
        if self.head and position >= self._begin:
            return [each for each in self._window if each.position > position]
        async with self._db() as conn:
            return [entry(recorded) for recorded in await facts.tail(conn, position, PAGE)]

    async def newest(self) -> int:
        async with self._db() as conn:
            return await facts.head(conn)
