"""The load through the door: `POST /orders` over kept-open connections, by a cheap client."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

from bench.pacing import Pace
from bench.plan import Request

CONNECTIONS = 256
AGAIN_SECONDS = 0.2
TRIES = 100
ACCEPTED = {201, 202}
AGAIN = {0, 503}  # the same key again: it is the same wish

Answered = Callable[[int, bytes], None]


class Connection(asyncio.Protocol):
    """One request at a time; the answer goes to `answered`, status 0 when the line broke."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answered: Answered | None = None
        self._text = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its ways only

    def ask(self, request: Request, answered: Answered) -> None:
        self._answered = answered
        if self._transport is None or self._transport.is_closing():
            asyncio.get_running_loop().call_soon(self._answer, 0, b"")
        else:
            self._transport.write(request.text)

    def data_received(self, data: bytes) -> None:
        self._text += data
        head, blank, body = self._text.partition(b"\r\n\r\n")
        if blank and len(body) >= int(header(head, b"content-length") or 0):
            self._text = b""
            self._answer(int(head[9:12]), head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._answer(0, b"")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _answer(self, status: int, head: bytes) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status, head)


def header(head: bytes, name: bytes) -> bytes:
    """A header of an answer; empty when it is not there."""
    _, _, rest = head.lower().partition(b"\r\n" + name + b": ")
    return rest.partition(b"\r\n")[0]


class Door:
    """Asks each request when it is due, on a free connection, a new one or the next one free."""

    def __init__(self, url: str, requests: Sequence[Request], pace: Pace) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._requests = requests
        self._pace = pace
        self._free: deque[Connection] = deque()
        self._waiting: deque[int] = deque()
        self._tries: Counter[int] = Counter()
        self._connections = 0
        self._left = len(requests)
        self._all_answered = asyncio.Event()
        self._opening: set[asyncio.Task[None]] = set()
        self.orders = [""] * len(requests)
        self.refused: Counter[str] = Counter()

    async def send(self) -> None:
        """Return when each request has its final answer."""
        while (due := await self._pace.due()) is not None:
            for number in range(*due):
                self._ask(number)
        if self._left:
            await self._all_answered.wait()
        for connection in self._free:
            connection.close()

    def _ask(self, number: int) -> None:
        self._waiting.append(number)
        while self._free and not self._free[-1].open:
            self._free.pop()
            self._connections -= 1
        if self._free:
            self._use(self._free.pop())
        elif self._connections < CONNECTIONS:
            self._connections += 1
            task = asyncio.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, connection = await loop.create_connection(Connection, self._host, self._port)
            except OSError:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return self._use(connection)

    def _use(self, connection: Connection) -> None:
        if not self._waiting:
            self._free.append(connection)
            return
        number = self._waiting.popleft()
        connection.ask(self._requests[number], partial(self._answered, number, connection))

    def _answered(self, number: int, connection: Connection, status: int, head: bytes) -> None:
        if status in AGAIN and self._tries[number] < TRIES:
            self._tries[number] += 1
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._ask, number)
        else:
            self._settle(number, status, head)
        if connection.open:
            self._use(connection)
        else:
            self._connections -= 1
        if not self._left:
            self._all_answered.set()

    def _settle(self, number: int, status: int, head: bytes) -> None:
        if status in ACCEPTED:
            self.orders[number] = header(head, b"location").decode().removeprefix("/orders/")
        else:
            self.refused[str(status)] += 1
        self._pace.took(number, number + 1, monotonic())
        self._left -= 1
