"""A small HTTP/1.1 client for one address: posts, keeps connections, says how far a request got."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools


class NotSent(Exception):
    """No connection: nothing can have been done."""


class Broken(Exception):
    """The connection ended, or what came was not HTTP: it may have been done."""


class Answer(NamedTuple):
    """`reason` is that of a header Kne-Reason."""

    status: int
    body: bytes
    reason: str = ""


class Client:
    """As many connections as there are calls at once; idle ones are closed after a while."""

    def __init__(self, url: str, *, connect_seconds: float, idle_seconds: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._netloc = parts.netloc.rpartition("@")[2]
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._idle: list[tuple[_Connection, float]] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises NotSent or Broken. A call that is cancelled closes its connection."""
        lines = [
            f"POST {self._path}{path} HTTP/1.1",
            f"Host: {self._netloc}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        connection = self._kept() or await self._connected()
        try:
            answer = await connection.ask("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            self._idle.append((connection, monotonic()))
        else:
            connection.close()
        return answer

    def close(self) -> None:
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()

    def _kept(self) -> "_Connection | None":
        oldest = monotonic() - self._idle_seconds
        while self._idle:
            connection, since = self._idle.pop()
            if connection.reusable and since >= oldest:
                return connection
            connection.close()
        return None

    async def _connected(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls or None
                )
        except (OSError, TimeoutError) as fault:  # TimeoutError is ours alone: the caller's cancels
            raise NotSent(repr(fault)) from fault
        return connection


class _Connection(asyncio.Protocol):
    """One request at a time; httptools reads the answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._body = bytearray()
        self._reason = ""
        self.reusable = True

    async def ask(self, request: bytes) -> Answer:
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._reason = ""
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of its own class

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # nobody asked: never believe it of the next request
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as fault:
            self._fail(repr(fault))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"kne-reason":
            self._reason = value.decode("latin-1")

    def on_message_complete(self) -> None:
        waiting, self._waiting = self._waiting, None
        self.reusable = self.reusable and self._parser.should_keep_alive()
        if waiting is not None and not waiting.done():
            waiting.set_result(
                Answer(self._parser.get_status_code(), bytes(self._body), self._reason)
            )

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(repr(exc) if exc else "closed without an answer")

    def _fail(self, why: str) -> None:
        self.reusable = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(Broken(why))
