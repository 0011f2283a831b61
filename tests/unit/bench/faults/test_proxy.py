"""The proxy hands everything on, until it is told to misbehave."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from bench.faults.proxy import LOOPBACK, Fault, Proxy
from stack.ports import free_ports

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    writer.close()


class Clients:
    """Opens connections to a port and closes them all in the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> Streams:
        streams = await asyncio.open_connection(LOOPBACK, self._port)
        self._writers.append(streams[1])
        return streams

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(
            *(each.wait_closed() for each in self._writers), return_exceptions=True
        )


@asynccontextmanager
async def proxied(*, away: bool = False) -> AsyncGenerator[tuple[Proxy, Clients]]:
    """A server that says everything again, unless it is away, and a proxy before it."""
    listens, leads_to = free_ports(2)
    proxy, clients = Proxy(listens, leads_to), Clients(listens)
    await proxy.start()
    server = None if away else await asyncio.start_server(echo, LOOPBACK, leads_to)
    try:
        yield proxy, clients
    finally:
        await clients.close()
        await proxy.stop()
        if server is not None:
            server.close()


async def said(streams: Streams, text: bytes, seconds: float = 5) -> bytes:
    """What comes back; empty when the connection broke."""
    reader, writer = streams
    writer.write(text)
    try:
        async with asyncio.timeout(seconds):
            return await reader.readexactly(len(text))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def test_it_hands_on_both_ways_however_much():
    async with proxied() as (proxy, clients):
        streams = await clients.open()
        text = Random(1).randbytes(3_000_000)
        assert await said(streams, text) == text
        assert proxy.carried == 2 * len(text)


async def test_a_cut_breaks_so_many_connections_and_no_more():
    async with proxied() as (proxy, clients):
        all_ = [await clients.open() for _ in range(4)]
        assert [await said(each, b"one") for each in all_] == [b"one"] * 4
        assert proxy.cut(0.5, Random(1)) == 2
        answers = [await said(each, b"two") for each in all_]
        assert sorted(answers) == [b"", b"", b"two", b"two"]
        assert await said(await clients.open(), b"new") == b"new"


async def test_while_it_holds_nothing_moves_and_nothing_is_lost():
    async with proxied() as (proxy, clients):
        streams = await clients.open()
        assert await said(streams, b"one") == b"one"
        holding = begun(proxy, "hold")
        streams[1].write(b"two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await streams[0].readexactly(3)
        await ended(holding)
        assert await said(streams, b"three") == b"twoth"


async def test_what_was_answered_while_it_was_deaf_is_lost_with_the_connection():
    async with proxied() as (proxy, clients):
        asking = await clients.open()
        silent = await clients.open()
        assert [await said(each, b"one") for each in (asking, silent)] == [b"one"] * 2
        before = proxy.carried
        deaf = begun(proxy, "deafen")
        asking[1].write(b"two")
        async with asyncio.timeout(5):
            while proxy.carried < before + 3:  # the wish itself went through
                await asyncio.sleep(0.01)
            while not proxy.swallowed:
                await asyncio.sleep(0.01)
        await ended(deaf)
        assert await said(asking, b"three") == b""
        assert await said(silent, b"three") == b"three"


async def test_who_is_refused_may_come_again():
    async with proxied() as (proxy, clients):
        streams = await clients.open()
        assert await said(streams, b"one") == b"one"
        refusing = begun(proxy, "refuse")
        await asyncio.sleep(0)
        assert await said(streams, b"two") == b""
        assert await said(await clients.open(), b"two") == b""
        await ended(refusing)
        assert await said(await clients.open(), b"new") == b"new"


async def test_a_server_that_is_away_breaks_the_connection():
    async with proxied(away=True) as (_, clients):
        assert await said(await clients.open(), b"one") == b""


def begun(proxy: Proxy, fault: Fault) -> asyncio.Task[None]:
    return asyncio.create_task(proxy.misbehave(fault, 60))


async def ended(fault: asyncio.Task[None]) -> None:
    fault.cancel()
    await asyncio.gather(fault, return_exceptions=True)
