"""The wall as an application: events in by POST, a page and its stream out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from api import problems
from api.gate import Gate
from api.hot import HotRoute
from api.intake.reading import Received, events_of
from api.metrics import Metrics
from api.settings import WallSettings
from api.wall import page, thresholds
from api.wall.board import PLACED, Board
from api.wall.counting import Counting
from api.wall.feed import Feed
from api.wall.posting import Sink
from api.wall.stream import stream
from api.wall.taking import position_of, threshold_of, total_of
from api.wall.totals import fill
from api.wall.truth import Truth
from api.wall.window import Window
from store.tasks import end
from telemetry.page import TYPE

ABOUT = "Shows orders as they happen. It is told by Knative, and forgets when it ends."

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Wall:
    """All that it knows, with what keeps that right."""

    def __init__(self, settings: WallSettings, sink: str) -> None:
        self.feed = Feed()
        self.board = Board(self.feed)
        self.window = Window(self.feed)
        self._truth = Truth(settings.wall_api) if settings.wall_api else None
        self._sink = Sink(sink) if sink else None
        wanted = thresholds.parsed(settings.wall_thresholds)
        self._counting = Counting(self.window, wanted, self._truth, self._sink)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        works = [self._counting.begin(self.board), self._counting.run()]
        if self._truth is not None:
            works.append(fill(self.board, self._truth))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            await end(*tasks)
            if self._truth is not None:
                await self._truth.close()
            if self._sink is not None:
                self._sink.close()

    async def show(self, event: Received) -> None:
        """A fact of an order; those of others are not for the wall."""
        order_id = event.subject.removeprefix("order-")
        if order_id == event.subject:
            return
        total = total_of(event.data) if event.type == PLACED else None
        at = event.time.isoformat()
        self.board.happened(order_id, event.type, position_of(event), at, total)

    async def count(self, event: Received) -> None:
        """An order that was placed."""
        if event.type == PLACED:
            total = total_of(event.data)
            await self._counting.placed(event.time, position_of(event), *total)

    async def attend(self, event: Received) -> None:
        """Whatever the channel lets through."""
        self.board.attention(f"{event.source} {event.id}", f"{event.subject} {event.type}")

    async def passed(self, event: Received) -> None:
        """A threshold was passed: what the wall itself has posted comes back by the Broker."""
        if event.type == thresholds.TYPE:
            self.board.threshold(f"{event.source} {event.id}", threshold_of(event))


def create_wall(settings: WallSettings, sink: str = "") -> FastAPI:
    """The application; `state.wall` is what it knows. `sink` takes the events of its own."""
    wall, metrics = Wall(settings, sink), Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with wall.opened():
            yield

    app = FastAPI(
        title="Quire wall", description=ABOUT, version="1", lifespan=lifespan,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.wall = wall
    problems.install(app)

    inlets = APIRouter(route_class=HotRoute)

    async def ignored(_: Received) -> None:
        """What only warms the wall up."""

    def inlet(path: str, take: Callable[[Received], Awaitable[None]]) -> None:
        async def taken(request: Request) -> Response:
            for event in events_of(request.headers.raw, await request.body()):
                await take(event)
            return Response(status_code=202)

        inlets.add_api_route(path, taken, methods=["POST"], status_code=202)

    inlet("/", ignored)
    inlet("/orders", wall.show)
    inlet("/minutes", wall.count)
    inlet("/attention", wall.attend)
    inlet("/passed", wall.passed)
    app.include_router(inlets)  # first, since it is asked most
    app.include_router(page.router)

    @app.get("/minutes")
    async def minutes(_: Request) -> Response:
        board = wall.board
        return JSONResponse(
            {
                "minutes": wall.window.told(),
                "attention": list(board.loud.values()),
                "passed": list(board.passed.values()),
            }
        )

    @app.get("/stream")
    async def streamed(request: Request) -> Response:
        place = wall.feed.place(request.headers.get("last-event-id", ""))
        events = stream(wall.feed, place, settings.live_heartbeat_seconds)
        return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)

    @app.get("/metrics")
    async def told(_: Request) -> Response:
        return Response(metrics.text(), media_type=TYPE)

    @app.get("/healthz")
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app.add_middleware(
        Gate, metrics=metrics, max_body_bytes=settings.max_body_bytes, shortcuts=False
    )
    return app
