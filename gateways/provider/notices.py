"""Webhooks of the simulated provider: written down, signed, and sent until somebody takes them."""

import asyncio
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from gateways.signature import HEADER, sign
from gateways.wire import Notice

log = logging.getLogger("quire.provider")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
TRIES = 40
"""Then a person has to look: some twenty minutes."""


class _Line(Struct, frozen=True, omit_defaults=True):
    """A notice that waits, or the number of one that needs nothing more."""

    number: int
    notice: Notice | None = None


_decoder = msgspec.json.Decoder(_Line)
_encode = msgspec.json.Encoder().encode


class Notices:
    """What was not delivered before a kill -9 is delivered after it."""

    def __init__(self, path: Path, url: str, secret: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._url, self._secret = path, url, secret
        waiting = _waiting(path)
        self._last = max(waiting, default=0)
        self._file = _compacted(path, waiting)
        self._open = waiting
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(timeout=10)

    def start(self) -> None:
        """Take up what is left of before."""
        for number, notice in self._open.items():
            self._spawn(number, notice, 0)

    def send(self, notice: Notice, *, copies: int = 1, after: float = 0) -> None:
        """Return at once; every copy has the same id."""
        if not self._url:
            return
        for _ in range(copies):
            self._last += 1
            self._write(_Line(self._last, notice))
            self._spawn(self._last, notice, after)

    async def now(self, notice: Notice, *, copies: int = 1) -> None:
        """Return when each copy was tried once; what was not taken is sent again later."""
        for _ in range(copies if self._url else 0):
            self._last += 1
            number = self._last
            self._write(_Line(number, notice))
            if await self._taken(notice):
                self._write(_Line(number))
            else:
                self._spawn(number, notice, FIRST_PAUSE)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
        os.close(self._file)

    def _spawn(self, number: int, notice: Notice, after: float) -> None:
        task = asyncio.create_task(self._deliver(number, notice, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, number: int, notice: Notice, after: float) -> None:
        await asyncio.sleep(after)
        for tries in range(TRIES):
            if await self._taken(notice):
                break
            await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 10)))
        else:
            log.error("nobody took the notice %s of %s", notice.id, notice.order_id)
        self._write(_Line(number))

    async def _taken(self, notice: Notice) -> bool:
        body = _encode(notice)
        headers = {
            "Content-Type": "application/json",
            HEADER: sign(self._secret, body, datetime.now(UTC)),
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as fault:
            log.info("the notice %s was not delivered: %r", notice.id, fault)
            return False
        if not answer.is_success:
            log.info("the notice %s was refused: %d", notice.id, answer.status_code)
        return answer.is_success

    def _write(self, line: _Line) -> None:
        os.write(self._file, _encode(line) + b"\n")


def _waiting(path: Path) -> dict[int, Notice]:
    found: dict[int, Notice] = {}
    for text in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if not text.endswith(b"\n"):
            break  # killed while it was writing
        line = _decoder.decode(text)
        if line.notice is None:
            found.pop(line.number, None)
        else:
            found[line.number] = line.notice
    return found


def _compacted(path: Path, waiting: dict[int, Notice]) -> int:
    """Begin a file that holds what waits and nothing else."""
    part = path.with_suffix(".part")
    part.write_bytes(
        b"".join(_encode(_Line(number, notice)) + b"\n" for number, notice in waiting.items())
    )
    part.chmod(0o600)
    part.replace(path)
    return os.open(path, os.O_WRONLY | os.O_APPEND)
