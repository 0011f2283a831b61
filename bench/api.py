"""What a request costs the server, against an empty FastAPI route: `python -m bench.api`.

CPU time, user and system, of the serving process alone; Postgres' own is shown beside. One order
by its id, and a page of 20, over connections kept open.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from statistics import median

import msgspec
from psycopg import AsyncConnection

from bench import cpu
from bench.http_load import Connection
from bench.plan import Request
from bench.rounds import command
from bench.scratch import Scratch, fill, servers
from bench.story import Story
from stack.layout import LOOPBACK
from stack.ports import free_ports
from store.connect import connect
from store.views import batch, progress
from store.views.every import VIEWS
from store.views.shadow import rebuild

REQUESTS = 3_000
CONNECTIONS = 8
START_SECONDS = 30.0
# A deadline for each order: it is served with the document.
_ARM = (
    "insert into timer select 'order-' || order_id, 'quire.order.complete', gen_random_uuid(),"
    " now() + interval '30 days', 'quire.order.complete', order_id, 'order', order_id,"
    " gen_random_uuid(), '{}' from order_view"
)


class Costs(msgspec.Struct, frozen=True):
    """Microseconds of CPU a request; ratios to the empty route."""

    name: str
    empty_us: float
    order_us: float
    page_us: float
    order_ratio: float
    page_ratio: float
    order_target: float
    page_target: float
    order_postgres_us: float
    page_postgres_us: float
    requests: int
    rounds: int


class Server:
    """A process that serves, and the postmaster behind it."""

    def __init__(self, pid: int, port: int, postmaster: int) -> None:
        self._pids = {"server": pid, "postgres": postmaster}
        self._port = port

    async def cost(self, paths: Sequence[str], count: int) -> tuple[float, float]:
        """CPU a request, of the server and of Postgres, in microseconds."""
        before = cpu.read(self._pids, 0, 0)
        await ask(self._port, paths, count)
        spent = cpu.between(before, cpu.read(self._pids, 0, 0))
        return spent["server"] * 1e6 / count, spent["postgres"] * 1e6 / count


async def ask(port: int, paths: Sequence[str], count: int) -> None:
    """So many requests, over a few connections; each has to be answered with 200."""
    requests = [
        Request(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) for path in paths
    ]
    turns = iter(range(count))

    async def one_connection() -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, LOOPBACK, port)
        for turn in turns:
            answered: asyncio.Future[int] = loop.create_future()
            connection.ask(requests[turn % len(requests)], lambda s, _, a=answered: a.set_result(s))
            status = await answered
            assert status == 200, f"{paths[turn % len(paths)]} was answered with {status}"
        connection.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))


async def run(events: int, rounds: int) -> Costs:
    async with servers(with_kafka=True) as scratch:
        await fill(scratch, Story("api"), events)
        async with await connect(scratch.owner_dsn, name="quire-bench") as conn:
            paths = await _viewed(conn)
        async with _ours(scratch) as ours, _empty() as empty:
            taken: list[tuple[float, ...]] = []
            for number in range(rounds + 1):
                nothing, _ = await empty.cost(["/"], REQUESTS)
                one, behind_one = await ours.cost(paths, REQUESTS)
                page, behind_page = await ours.cost(["/orders?limit=20"], REQUESTS)
                if number:  # the first warms up
                    taken.append((nothing, one, page, behind_one, behind_page))
    nothing, one, page, behind_one, behind_page = (median(row) for row in zip(*taken, strict=True))
    return Costs(
        name="api",
        empty_us=round(nothing, 1),
        order_us=round(one, 1),
        page_us=round(page, 1),
        order_ratio=round(one / nothing, 2),
        page_ratio=round(page / nothing, 2),
        order_target=2.5,
        page_target=3.0,
        order_postgres_us=round(behind_one, 1),
        page_postgres_us=round(behind_page, 1),
        requests=REQUESTS,
        rounds=rounds,
    )


async def _viewed(conn: AsyncConnection) -> list[str]:
    """Fold the views, and name some orders in them."""
    at = await progress.start(conn, batch.VIEWS)
    row = await (await conn.execute("select max(position) from event")).fetchone()
    assert row is not None, "the log was filled"
    await progress.move(conn, batch.VIEWS, at, row[0])
    await rebuild(conn, VIEWS["orders"])
    await conn.execute(_ARM)
    cursor = await conn.execute("select order_id from order_view order by order_id limit 500")
    return [f"/orders/{order_id}" for (order_id,) in await cursor.fetchall()]


@asynccontextmanager
async def _ours(scratch: Scratch) -> AsyncGenerator[Server]:
    [port] = free_ports(1)
    env = {
        "QUIRE_POSTGRES_DSN": scratch.app_dsn,
        "QUIRE_KAFKA": scratch.kafka,
        "QUIRE_STATE_DIR": str(scratch.state_dir),
        "QUIRE_API_PORT": str(port),
    }
    async with _process(port, env, "-m", "cli.main", "run", "api") as pid:
        yield Server(pid, port, _postmaster(scratch))


@asynccontextmanager
async def _empty() -> AsyncGenerator[Server]:
    [port] = free_ports(1)
    async with _process(port, {}, "-m", "bench.empty_app", str(port)) as pid:
        yield Server(pid, port, 0)


@asynccontextmanager
async def _process(port: int, env: dict[str, str], *words: str) -> AsyncGenerator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env={**os.environ, **env}, stdout=sys.stderr
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await is_listening(port):
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def is_listening(port: int) -> bool:
    """Whether a server is there at all."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def _postmaster(scratch: Scratch) -> int:
    return int((scratch.state_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


if __name__ == "__main__":
    command(run, events=20_000, rounds=5)
