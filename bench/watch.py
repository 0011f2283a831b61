"""Watches a load from outside: when the view passed each position of the log, and when all rests.

The view and its checkpoint move in one transaction. So the moment at which the checkpoint is seen
at or past a fact is the moment at which a reader of the view would have seen it, and asking for
one number costs next to nothing, however many orders there are.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from time import monotonic
from typing import LiteralString

from psycopg import AsyncConnection

from store import log
from store.connect import connect
from store.listen import VIEWS, listen, wait
from store.views import orders
from store.views.progress import reached

POLL_SECONDS = 0.02
STILL_SECONDS = 1.0

ENDED: dict[str, tuple[str, ...]] = {
    "confirmed": ("quire.order.confirmed.v1",),
    "delivered": ("quire.order.delivered.v1",),
}
NOT_DONE = (
    "quire.order.rejected.v1",
    "quire.order.cancelled.v1",
    "quire.order.expired.v1",
)
_COUNT: LiteralString = (
    "select count(*) filter (where type = any(%b::text[])"
    " and coalesce(data ->> 'complete', 'true') = 'true'), coalesce(max(position), %s::bigint),"
    " count(*) from event where position > %s::bigint"
)


class Watch:
    """Follows the view on a connection of its own, whose backend is `pid`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self._at: list[float] = []
        self._positions: list[int] = []

    @classmethod
    async def start(cls, dsn: str) -> "Watch":
        conn = await connect(dsn, name="quire-bench")
        await listen(conn, VIEWS)
        return cls(conn)

    @property
    def pid(self) -> int:
        return self.conn.info.backend_pid

    async def head(self) -> int:
        return await log.head(self.conn)

    async def close(self) -> None:
        await self.conn.close()

    def seen(self, position: int) -> float | None:
        """When the view was first seen at or past a position."""
        index = bisect_left(self._positions, position)
        return self._at[index] if index < len(self._positions) else None

    async def follow(self, stop: asyncio.Event) -> None:
        """Note each move of the view until told to stop."""
        while not stop.is_set():
            position = await reached(self.conn, orders.NAME)
            if not self._positions or position > self._positions[-1]:
                self._at.append(monotonic())
                self._positions.append(position)
            await wait(self.conn, POLL_SECONDS)

    async def until_rest(
        self,
        after: int,
        ends: tuple[str, ...],
        wanted: int,
        limit: float,
        say: Callable[[str], None],
    ) -> None:
        """Follow until `wanted` orders have ended and nothing moves, or `limit` is over."""
        deadline, still_since = monotonic() + limit, monotonic()
        at, ended = after, 0
        while monotonic() < deadline:
            cursor = await self.conn.execute(_COUNT, (list(ends), at, at))
            row = await cursor.fetchone()
            assert row is not None, "an aggregate gives a row"
            if row[2]:
                still_since = monotonic()
            ended, at = ended + row[0], row[1]
            viewed = await reached(self.conn, orders.NAME)
            if not self._positions or viewed > self._positions[-1]:
                self._at.append(monotonic())
                self._positions.append(viewed)
            if ended >= wanted and viewed >= at and monotonic() - still_since > STILL_SECONDS:
                return
            await wait(self.conn, POLL_SECONDS)
        missing = max(0, wanted - ended)
        say(f"after {limit:.0f} s {missing} of {wanted} orders are not at rest")
