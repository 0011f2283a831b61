"""The page /metrics of a process that serves nothing else."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from telemetry.registry import Figures

SECONDS = 5.0
LONGEST_HEAD = 16_384
TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = logging.getLogger("quire.telemetry")


@asynccontextmanager
async def serving(figures: Figures, host: str, port: int) -> AsyncGenerator[int]:
    """Serve inside; gives the port, 0 when nobody can listen there.

    A process that works and cannot tell of it goes on: Prometheus misses it, and alerts.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await _answer(figures, head))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=LONGEST_HEAD)
    except OSError as fault:
        log.warning("no page of metrics at %s:%d: %s", host, port, fault.strerror)
        yield 0
        return
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()  # and nobody waits for who still reads


async def _answer(figures: Figures, head: bytes) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if path != b"/metrics":
        return _response("404 Not Found", b"the metrics are at /metrics\n")
    if method != b"GET":
        return _response("405 Method Not Allowed", b"ask by GET\n")
    return _response("200 OK", await figures.page())


def _response(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
