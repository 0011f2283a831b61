"""One connection that listens for all requests that wait, and the questions they wait with."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Generic, TypeVar

from store import connect, listen
from store.errors import Unavailable, translated

log = logging.getLogger("quire.api")

POLL_SECONDS = 0.5

K = TypeVar("K")
V = TypeVar("V")


class Wakeups:
    """Wakes everyone when the log or the views moved. A hint only: whoever waits polls as well."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._next = asyncio.Event()

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                with translated():
                    conn = await connect.connect(self._dsn, name="quire api listener")
                async with conn:
                    await self._hear(conn)
            except Unavailable as fault:
                log.warning("listening again soon: %s", fault)
                await asyncio.sleep(POLL_SECONDS)

    async def _hear(self, conn: connect.AsyncConnection) -> None:
        with translated():
            await listen.listen(conn, listen.LOG, listen.VIEWS)
            while True:
                if await listen.wait(conn, 5):
                    self.wake()

    def wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    def next(self) -> asyncio.Event:
        """Set at the next wake-up: take it before looking, so that none falls in between."""
        return self._next


async def either(event: asyncio.Event, seconds: float = POLL_SECONDS) -> None:
    """Wait for the event, but no longer than that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Watch(Generic[K, V]):
    """Asks one question for all who wait for an answer: one query a wake-up, not one a request."""

    def __init__(
        self, ask: Callable[[Iterable[K]], Awaitable[Mapping[K, V]]], wakeups: Wakeups
    ) -> None:
        self._ask = ask
        self._wakeups = wakeups
        self._waiting: dict[K, set[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K, until: float) -> V | None:
        """The answer, or None when the loop's clock passes `until` before there is one."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(key, set()).add(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            await self._answer([key])  # it may be there already
            async with asyncio.timeout_at(until):
                return await future
        except TimeoutError:
            return None
        finally:
            left = self._waiting.get(key)
            if left is not None:
                left.discard(future)
                if not left:
                    del self._waiting[key]

    async def _look(self) -> None:
        while self._waiting:
            woken = self._wakeups.next()
            try:
                await self._answer(list(self._waiting))
            except Unavailable as fault:
                log.warning("asking again soon: %s", fault)
            if self._waiting:
                await either(woken)

    async def _answer(self, keys: list[K]) -> None:
        answers: Mapping[K, V] = await self._ask(keys)
        for key, answer in answers.items():
            for future in self._waiting.pop(key, set[asyncio.Future[V]]()):
                if not future.done():
                    future.set_result(answer)
