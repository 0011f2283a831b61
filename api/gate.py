"""Before every route: limits of the body, text that cannot be kept; after it: the metrics.

What is asked most goes on from here without the framework (shortcuts).
"""

import logging
from asyncio import CancelledError
from time import perf_counter

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.metrics import Metrics
from api.problems import Problem
from api.shortcuts import find
from api.storable import storable_json, storable_url

log = logging.getLogger("quire.api")

READS = {"GET", "HEAD"}
HUNG_UP = 499  # as proxies count it: the caller left, and nothing of ours failed


class Gate:
    """A plain ASGI middleware: it costs each request a few microseconds."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, max_body_bytes: int, shortcuts: bool = True
    ) -> None:
        self._app = app
        self._shortcuts = shortcuts
        self._metrics = metrics
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 500
        started = False

        async def note(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
            await send(message)

        path = "unknown"
        try:
            body = await self._checked(scope, receive)
            short = find(scope) if self._shortcuts else None
            if short is not None:
                path = short.path
                answer = await short.route(Request(scope), body)
                if answer is not None:
                    await answer(scope, receive, note)
                    return
            rest = receive if scope["method"] in READS else _again(body, receive)
            await self._app(scope, rest, note)
        except ClientDisconnect:
            status = HUNG_UP  # nobody is there to be answered
        except Problem as problem:
            await problem.response(scope["path"])(scope, receive, note)
        except (*problems.SILENT, CancelledError) as silent:
            # Cancelled: we end, and have waited for it. Left alone, the server would answer 500.
            if started:
                raise
            await problems.unavailable(scope, silent)(scope, receive, note)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            if started:
                raise
            await problems.internal()(scope, receive, note)
        finally:
            path = getattr(scope.get("route"), "path", path)
            self._metrics.took(scope["method"], path, status, perf_counter() - began)

    async def _checked(self, scope: Scope, receive: Receive) -> bytes:
        if not storable_url(scope.get("raw_path") or b""):
            raise problems.not_storable("path")
        if not storable_url(scope["query_string"]):
            raise problems.not_storable("query")
        for _, value in scope["headers"]:
            if b"\0" in value:
                raise problems.not_storable("header")
        return b"" if scope["method"] in READS else await self._checked_body(receive)

    async def _checked_body(self, receive: Receive) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                raise Problem(
                    413,
                    "body_too_large",
                    f"the body is longer than {self._limit} bytes",
                    headers={"Connection": "close"},
                )
        whole = bytes(body)
        if not storable_json(whole):
            raise problems.not_storable("body")
        return whole


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body, that was read already, once more."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
