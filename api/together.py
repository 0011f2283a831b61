"""One question for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """Collects keys while a question is under way, and asks the next one for all of them."""

    def __init__(self, ask: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The answer for the key; None when there is none."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                found = await self._ask(list(waiting))
            except Exception as fault:
                _fail([each for futures in waiting.values() for each in futures], fault)
            else:
                for key, futures in waiting.items():
                    for each in futures:
                        if not each.done():
                            each.set_result(found.get(key))
        self._task = None


def _fail(futures: "list[asyncio.Future[V | None]]", fault: Exception) -> None:
    for each in futures:
        if not each.done():
            each.set_exception(fault)
