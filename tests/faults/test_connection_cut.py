"""The connection to Postgres is cut around the commit (PROTOCOL 6)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

import pytest

from tests.faults.world import World, orders

When = Literal["before", "halfway", "after", "late"]
APPENDED = b"quire.order.placed.v1"  # stands in what is sent with COMMIT, and nowhere before
COMMITTED = b"COMMIT\x00"


class Proxy:
    """Hands bytes on to Postgres, and cuts a connection at the moment it was made for.

    `late`: the answer to COMMIT is held back for a while before the cut.
    """

    def __init__(self, port: int, when: When, cuts: int) -> None:
        self._to, self._when = port, when
        self.left = cuts
        self._seen = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._to)
        ways = [
            asyncio.create_task(self._up(reader, ours)),
            asyncio.create_task(self._down(theirs, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (ours, writer):
            end.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            if APPENDED in data and self._cuts("before", "halfway"):
                if self._when == "halfway":
                    writer.write(data[: data.index(APPENDED)])
                    await writer.drain()
                return
            writer.write(data)
            await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            if COMMITTED in data and self._cuts("after", "late"):
                if self._when == "late":
                    await asyncio.sleep(1.5)  # how long Postgres' answer does not come
                return
            writer.write(data)
            await writer.drain()

    def _cuts(self, *when: When) -> bool:
        """Every third time, so that work goes on in between."""
        if self._when not in when or not self.left:
            return False
        self._seen += 1
        if self._seen % 3:
            return False
        self.left -= 1
        return True


@asynccontextmanager
async def proxied(dsn: str, when: When, cuts: int) -> AsyncGenerator[tuple[Proxy, str]]:
    parts = urlsplit(dsn)
    proxy = Proxy(parts.port or 5432, when, cuts)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, dsn.replace(f":{parts.port}/", f":{port}/")
    finally:
        server.close()


@pytest.mark.parametrize("when", ["before", "halfway", "after", "late"])
async def test_counts_are_exact(world: World, when: When):
    """14: whether the commit landed or not, each command is applied once."""
    sent = orders(600)
    async with proxied(world.dsn, when, cuts=4) as (proxy, dsn):
        worker = await world.start("worker", "order", dsn=dsn, batch_size=25)
        await worker.ready()
        await world.send(sent)
        await world.settled(sent)
        assert proxy.left == 0
        await world.each_once(sent)
        assert await world.count("select count(*) from event") == 600
        world.check()
        await worker.kill()
