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

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return self._task is None

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


class Alike(Generic[K, V]):
    """Asks once for all who want the very same at the same time; others wait for nobody."""

    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._open: dict[K, Together[K, V]] = {}

    async def get(self, key: K) -> V:
        """The answer, never older than the question."""
        one = self._open.get(key)
        if one is None:
            one = self._open[key] = Together(self._answer)
        try:
            answer = await one.get(key)
        finally:
            if one.idle and self._open.get(key) is one:
                del self._open[key]
        assert answer is not None, "it was asked for"
        return answer

    async def _answer(self, keys: list[K]) -> Mapping[K, V]:
        return {key: await self._ask(key) for key in keys}


def _fail(futures: "list[asyncio.Future[V | None]]", fault: Exception) -> None:
    for each in futures:
        if not each.done():
            each.set_exception(fault)
