"""Before every route: what the gate does when a request cannot come to its end."""

import asyncio
from typing import Any

import pytest

from api.gate import Gate
from api.metrics import Metrics

ASKED: dict[str, Any] = {
    "type": "http", "method": "GET", "path": "/stock", "raw_path": b"/stock", "query_string": b"",
    "headers": [],
}  # fmt: skip
OK: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


class Asked:
    """One request, to an application that begins and then waits for ever."""

    def __init__(self, *, answers: bool) -> None:
        self.begun = asyncio.Event()
        self.sent: list[Any] = []
        self._answers = answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._answers:
            await send(OK)
        self.begun.set()
        await asyncio.Event().wait()

    async def cut_short(self) -> None:
        """Let it begin, and end it as a server does that was told to end."""
        gate = Gate(self, metrics=Metrics(), max_body_bytes=10)
        task = asyncio.create_task(gate(ASKED, self._nothing, self._send))
        async with asyncio.timeout(5):
            await self.begun.wait()
            task.cancel()
            await task

    async def _nothing(self) -> Any:
        await asyncio.Event().wait()

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def test_who_is_cut_short_by_our_end_is_told_to_come_again():
    asked = Asked(answers=False)
    await asked.cut_short()
    start, body = asked.sent
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"]
    assert b'"code":"unavailable"' in body["body"]


async def test_an_answer_that_has_begun_is_not_begun_again():
    asked = Asked(answers=True)
    with pytest.raises(asyncio.CancelledError):
        await asked.cut_short()
    assert asked.sent == [OK]
