"""How long each process takes to be back at work: ready again, and its work moving.

A process counts as hurt from the last moment at which anything was done to it, or to a server or
connection that it stands on. It is back when its supervisor says ready and its own mark in
Postgres has moved since, or when it has nothing to do.
"""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any, LiteralString, NamedTuple

import httpx
import psycopg

from bench.faults.arena import Arena
from bench.faults.plan import SERVERS
from stack.lag import lags
from stack.supervisor import State
from store.connect import connect

LOOK_SECONDS = 0.15
IDLE_AFTER_SECONDS = 1.5  # ready so long and its mark did not move: has it anything to do at all?
OVERDUE_SECONDS = 3

# A number for each process that works moves on; kept as text, for only its changing counts.
_MARKS: LiteralString = """
select 'worker-' || substr(processor, 7), sum(next_offset)::text from fence group by 1
union all select 'relay', position::text from checkpoint where name = 'relay'
union all select 'projector', max(position)::text from checkpoint where name = 'view/orders'
union all select 'sealer', max(last_position)::text from seal
union all select 'timers', count(*) || ' ' || coalesce(min(due_at)::text, '')
  from timer where due_at < now() - make_interval(secs => %s)
"""
IDLE_MARKS = {"timers": "0 "}


class Back(NamedTuple):
    """Who came back to work, how long after what."""

    name: str
    cause: str
    seconds: float


class _Hurt(NamedTuple):
    at: float
    cause: str
    mark: str | None


class Recovery:
    """Follows every process of a stack beside the injuries."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._names = tuple(arena.standings())
        self._hurt: dict[str, _Hurt] = {}
        self._marks: dict[str, str] = {}
        self._marked_at = 0.0
        self._ready_since: dict[str, float] = {}
        self._conn: Any = None
        self.back: list[Back] = []

    def hurts(self, whom: str, cause: str) -> None:
        """Note that this was done just now; what stands on a server is hurt with it."""
        spared = {each for each in SERVERS if each != whom}
        names = [each for each in self._names if each not in spared] if whom in SERVERS else [whom]
        now = monotonic()
        for name in names:
            self._hurt[name] = _Hurt(now, cause, None)

    @property
    def away(self) -> list[Back]:
        """Who is not back yet, and for how long."""
        now = monotonic()
        return [Back(name, one.cause, now - one.at) for name, one in self._hurt.items()]

    async def follow(self) -> None:
        """Look until cancelled."""
        async with httpx.AsyncClient(timeout=2) as http:
            try:
                while True:
                    await asyncio.sleep(LOOK_SECONDS)
                    if self._hurt:
                        await self._look(http)
            finally:
                await self._disconnect()

    async def _look(self, http: httpx.AsyncClient) -> None:
        began = monotonic()
        marks = await self._read_marks()
        if marks is None:
            return
        standings = self._arena.standings()
        idle: Mapping[str, bool] | None = None
        for name, hurt in [*self._hurt.items()]:
            if hurt.at >= began:  # the marks were read before it
                continue
            if hurt.mark is None:
                self._hurt[name] = hurt._replace(mark=marks.get(name, ""))
                continue
            standing = standings.get(name)
            if standing is None or standing.state is not State.READY:
                self._ready_since.pop(name, None)
                continue
            since = self._ready_since.setdefault(name, began)
            if name not in marks:  # servers and doors
                works = await self._answers(name, http)
            else:
                works = marks[name] != hurt.mark or marks[name] == IDLE_MARKS.get(name)
            if not works and name in marks and began - since > IDLE_AFTER_SECONDS:
                idle = idle if idle is not None else await self._idle()
                works = idle.get(name, False)
            if works and self._hurt.get(name, hurt).at == hurt.at:
                del self._hurt[name]
                self._ready_since.pop(name, None)
                self.back.append(Back(name, hurt.cause, monotonic() - hurt.at))

    async def _answers(self, name: str, http: httpx.AsyncClient) -> bool:
        servers = self._arena.servers
        if name in SERVERS:
            # They answer their supervisor. They are at work when those who were hurt with them
            # are, if nothing else was done to those since.
            at = self._hurt[name].at
            return not any(each not in SERVERS and one.at <= at for each, one in self._hurt.items())
        try:
            if name == "api":
                return (await http.get(f"{servers.url}/readyz")).is_success
            if name == "provider":
                return (await http.get(f"{servers.provider}/healthz")).is_success
        except httpx.HTTPError:
            return False
        return True

    async def _idle(self) -> dict[str, bool]:
        behind = await lags(self._arena.servers.postgres_dsn, self._arena.servers.kafka)
        return {name: lag.records == 0 for name, lag in behind.items()}

    async def _read_marks(self) -> dict[str, str] | None:
        """None while Postgres does not answer."""
        try:
            async with asyncio.timeout(3):
                if self._conn is None:
                    self._conn = await connect(
                        self._arena.servers.postgres_dsn, name="quire-faults"
                    )
                cursor = await self._conn.execute(_MARKS, (OVERDUE_SECONDS,))
                return {row[0]: row[1] or "" for row in await cursor.fetchall()}
        except (psycopg.Error, OSError, TimeoutError):
            await self._disconnect()
            return None

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()
