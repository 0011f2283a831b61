"""The wall as an application: events in by POST, a page and its stream out. It needs no server."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse

from api import problems
from api.gate import Gate
from api.intake.reading import Received, events_of
from api.metrics import Metrics
from api.problems import Problem
from api.settings import WallSettings
from api.wall.board import PLACED, Board, event_of
from api.wall.page import PAGE

ABOUT = "Shows orders as they happen. It is told by Knative, and forgets when it ends."


def create_wall(settings: WallSettings) -> FastAPI:
    """The application; `state.board` is what it shows."""
    board = Board()
    app = FastAPI(title="Quire wall", description=ABOUT, version="1", docs_url=None, redoc_url=None)
    app.state.board = board
    problems.install(app)

    def inlet(path: str, take: Callable[[Board, Received], None]) -> None:
        async def taken(request: Request) -> Response:
            for event in events_of(request.headers.raw, await request.body()):
                take(board, event)
            return Response(status_code=202)

        app.add_api_route(path, taken, methods=["POST"], status_code=202)

    inlet("/", lambda _board, _event: None)
    inlet("/orders", _show)
    inlet("/minutes", _count)
    inlet("/attention", lambda board, event: board.loud.append(f"{event.subject} {event.type}"))

    @app.get("/")
    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    @app.get("/minutes")
    async def minutes(_: Request) -> Response:
        return JSONResponse({"minutes": board.per_minute(), "attention": list(board.loud)})

    @app.get("/stream")
    async def stream(_: Request) -> Response:
        return StreamingResponse(
            _stream(board, settings.live_heartbeat_seconds),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @app.get("/healthz")
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app.add_middleware(
        Gate, metrics=Metrics(), max_body_bytes=settings.max_body_bytes, shortcuts=False
    )
    return app


def _show(board: Board, event: Received) -> None:
    """A fact of an order; those of others are not for the wall."""
    order_id = event.subject.removeprefix("order-")
    if order_id == event.subject:
        return
    position = event.extensions.get("position", "")
    if not position.isdecimal():
        raise Problem(422, "position_missing", "a fact says its position in the log")
    board.happened(order_id, event.type, int(position), event.time.isoformat())


def _count(board: Board, event: Received) -> None:
    if event.type != PLACED:
        return
    try:
        total: Any = event.data["total"]
        amount, currency = int(total["amount_minor"]), str(total["currency"])
        order_id = str(event.data["order_id"])
    except (LookupError, TypeError, ValueError) as wrong:
        raise Problem(422, "data_not_valid", f"no order that was placed: {wrong!r}") from wrong
    board.placed(order_id, event.time, amount, currency)


async def _stream(board: Board, heartbeat: float) -> AsyncGenerator[bytes]:
    queue = board.watch()
    try:
        yield b"retry: 2000\n\n"
        while True:
            try:
                async with asyncio.timeout(heartbeat):
                    shown = await queue.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if shown is None:
                return
            yield event_of(shown)
    finally:
        board.leave(queue)
