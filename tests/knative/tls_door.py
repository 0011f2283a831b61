"""TLS in front of a Postgres that was built without it, as the wheel's is.

It answers a client's wish for TLS as Postgres does, and ends whoever does not wish for it.
"""

import asyncio
import ssl
import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Thread

from stack.layout import LOOPBACK
from tests.integration.certificates import Files

ASKS_FOR_TLS, ASKS_FOR_GSS = 80877103, 80877104
LENGTH = 65536


@contextmanager
def tls_door(files: Files, behind: int) -> Generator[int]:
    """Give the port of the door to the Postgres on port `behind`."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="tls door", daemon=True)
    thread.start()
    door = Door(files, behind)
    try:
        yield asyncio.run_coroutine_threadsafe(door.open(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(door.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Door:
    """One listener, and a task for each session."""

    def __init__(self, files: Files, behind: int) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(files.certificate, files.key)
        self._behind = behind
        self._sessions: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._come, LOOPBACK, 0)
        return self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.ensure_future(self._session(reader, writer))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if not await self._encrypted(reader, writer):
                writer.close()
                return
            there, back = await asyncio.open_connection(LOOPBACK, self._behind)
            await asyncio.gather(_pass(reader, back), _pass(there, writer))

    async def _encrypted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            _, asked = struct.unpack("!ii", await reader.readexactly(8))
            if asked == ASKS_FOR_TLS:
                writer.write(b"S")
                await writer.start_tls(self._context)
                return True
            if asked != ASKS_FOR_GSS:
                return False
            writer.write(b"N")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(LENGTH):
            writer.write(data)
            await writer.drain()
    writer.close()
