"""The prices that orders are made of, remembered as long as changes are heard of."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager

from api.together import Together
from store import catalogue, connect, listen
from store.catalogue import Item
from store.connect import AsyncConnection as Conn
from store.errors import Unavailable, translated

log = logging.getLogger("quire.api")

AGAIN_SECONDS = 0.5
LISTEN_SECONDS = 30


class Prices:
    """Items by sku. Whoever puts an item notifies; while nobody listens nothing is remembered."""

    def __init__(self, dsn: str, db: Callable[[], AbstractAsyncContextManager[Conn]]) -> None:
        self._dsn = dsn
        self._db = db
        self._known: dict[str, Item] = {}
        self._listening = False
        self._unknown: Together[str, Item] = Together(self._ask)

    async def find(self, skus: Iterable[str]) -> dict[str, Item]:
        """The items that exist."""
        found: dict[str, Item] = {}
        for sku in skus:
            item = self._known.get(sku) or await self._unknown.get(sku)
            if item is not None:
                found[sku] = item
        return found

    def forget(self) -> None:
        # A new dict: what is being asked for now may be older than the change.
        self._known = {}

    async def run(self) -> None:
        """Hear of changes, for ever."""
        while True:
            try:
                with translated():
                    conn = await connect.connect(self._dsn, name="quire api prices")
                async with conn:
                    await self._hear(conn)
            except Unavailable as fault:
                log.warning("listening again soon: %s", fault)
            finally:
                self._listening = False
                self.forget()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, conn: connect.AsyncConnection) -> None:
        with translated():
            await listen.listen(conn, catalogue.CHANGED)
            self.forget()
            self._listening = True
            while True:
                if await listen.wait(conn, LISTEN_SECONDS):
                    self.forget()

    async def _ask(self, skus: list[str]) -> Mapping[str, Item]:
        known = self._known
        async with self._db() as conn:
            found = await catalogue.find(conn, skus)
        if self._listening:
            known.update(found)
        return found
