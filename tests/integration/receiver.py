"""Somebody who takes events over real HTTP, and keeps what came exactly as it came."""

import asyncio
import socket
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Came(NamedTuple):
    """One request."""

    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def told(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.headers}

    @property
    def id(self) -> str:
        return self.told["ce-id"]


class Receiver:
    """Answers with what stands in `answers`, oldest first, else with 202."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/events"
        self.came: list[Came] = []
        self.answers: dict[str, deque[int]] = {}
        self.refuse_all_with = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        came = Came(scope["headers"], await request.body())
        self.came.append(came)
        await self.go.wait()
        status = self.refuse_all_with or self._answer_to(came)
        headers = {"Kne-Reason": "as_told"} if status >= 400 else {}
        await Response(b"why" if status >= 400 else b"", status, headers)(scope, receive, send)

    def _answer_to(self, came: Came) -> int:
        queue = self.answers.get(came.id, deque[int]())
        return queue.popleft() if queue else 202


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncGenerator[Receiver]:
    """A receiver that listens."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        receiver = Receiver(listener.getsockname()[1])
        config = uvicorn.Config(receiver, log_config=None, ws="none", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield receiver
        receiver.go.set()
        server.should_exit = True
        await task
