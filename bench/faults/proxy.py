"""A TCP proxy that stands between our processes and a server, and can be made to misbehave."""

import asyncio
import socket
import struct
from contextlib import suppress
from random import Random
from typing import Any, Literal

BLOCK = 1 << 16
LOOPBACK = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)  # on close the other side hears of a broken connection

Fault = Literal["none", "hold", "deafen", "refuse"]


class Proxy:
    """Hands bytes on both ways. It goes on accepting while the server behind it is away."""

    def __init__(self, listens: int, leads_to: int) -> None:
        self._listens = listens
        self._leads_to = leads_to
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._fault: Fault = "none"
        self.delay = 0.0
        self.accepted = 0
        self.carried = 0
        self.swallowed = 0

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._links)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self._listens)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flows.set()
        self._cut([*self._links])
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def cut(self, share: float, random: Random) -> int:
        """Break so many of the connections, chosen by chance; says how many."""
        links = [*self._links]
        chosen = random.sample(links, round(len(links) * share))
        self._cut(chosen)
        return len(chosen)

    async def misbehave(self, fault: Fault, seconds: float) -> None:
        """Be like this for a while; the last one to come wins."""
        self._fault = fault
        if fault == "hold":
            self._flows.clear()
        if fault == "refuse":
            self._cut([*self._links])
        try:
            await asyncio.sleep(seconds)
        finally:
            self._fault = "none"
            self._flows.set()
            if fault == "deafen":
                self._cut([link for link in self._links if link.lost])

    async def delayed(self, each: float, seconds: float) -> None:
        """Hand each block on so many seconds later, for a while."""
        self.delay = each
        try:
            await asyncio.sleep(seconds)
        finally:
            self.delay = 0.0

    def _cut(self, links: "list[_Link]") -> None:
        for link in links:
            link.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._fault == "refuse":
                return
            await self._flows.wait()
            with suppress(OSError):  # the server is away
                await self._link(reader, writer)
        finally:
            _abort(writer)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(LOOPBACK, self._leads_to)
        link = _Link(writer, ours)
        self._links.add(link)
        ways = [
            asyncio.create_task(self._hand_on(reader, ours, link, answers=False)),
            asyncio.create_task(self._hand_on(theirs, writer, link, answers=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._links.discard(link)
            ours.close()
            writer.close()
            await asyncio.gather(ours.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def _hand_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        link: "_Link",
        *,
        answers: bool,
    ) -> None:
        with suppress(OSError):
            while block := await reader.read(BLOCK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                if answers and (link.lost or self._fault == "deafen"):
                    link.lost = True
                    self.swallowed += len(block)
                    continue
                writer.write(block)
                self.carried += len(block)
                await writer.drain()


class _Link:
    """One connection through the proxy; `lost` once an answer did not get through."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self._ends = ends
        self.lost = False

    def abort(self) -> None:
        for end in self._ends:
            _abort(end)


def _abort(writer: asyncio.StreamWriter) -> None:
    connection: Any = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
