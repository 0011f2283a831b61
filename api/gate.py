"""Before every route: limits of the body, text that cannot be kept; after it: the metrics."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.metrics import Metrics
from api.problems import Problem
from api.storable import storable_json, storable_url

log = logging.getLogger("quire.api")


class Gate:
    """A plain ASGI middleware: it costs each request a few microseconds."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, max_body_bytes: int) -> None:
        self._app = app
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

        try:
            await self._app(scope, await self._checked(scope, receive), note)
        except Problem as problem:
            await problem.response(scope["path"])(scope, receive, note)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            if started:
                raise
            await problems.internal()(scope, receive, note)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "unknown")
            self._metrics.took(scope["method"], path, status, perf_counter() - began)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        if not storable_url(scope.get("raw_path") or b""):
            raise problems.not_storable("path")
        if not storable_url(scope["query_string"]):
            raise problems.not_storable("query")
        for _, value in scope["headers"]:
            if b"\0" in value:
                raise problems.not_storable("header")
        if scope["method"] in {"GET", "HEAD"}:
            return receive
        return await self._checked_body(receive)

    async def _checked_body(self, receive: Receive) -> Receive:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return receive
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
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": whole, "more_body": False}

        return again
