"""`GET /live`: facts as server-sent events, each with its position as id."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from api.hot import HotRoute, parameter, told
from api.live_feed import Entry
from api.queries import position
from api.service import Service, service_of
from api.wakeups import either

router = APIRouter(tags=["facts"], route_class=HotRoute)

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/live",
    summary="Facts as they come (server-sent events)",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("order", "Only the facts of this order"),
            parameter("after", "Begin after this position; without it, with what comes next"),
            parameter("Last-Event-ID", "Sent by browsers that come back", where="header"),
        ]
    },
)
async def live(request: Request) -> Response:
    """Resumes after `Last-Event-ID`; a comment every 15 s keeps the line open."""
    service = service_of(request)
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    begin = position(given) if given else await service.feed.newest()
    order_id = request.query_params.get("order", "")
    return StreamingResponse(
        _stream(service, begin, order_id), media_type="text/event-stream", headers=_HEADERS
    )


async def _stream(service: Service, begin: int, order_id: str) -> AsyncGenerator[bytes]:
    feed = service.feed
    heartbeat = service.settings.live_heartbeat_seconds
    at, said = begin, asyncio.get_running_loop().time()
    feed.come()
    service.metrics.clients.inc()
    try:
        yield b"retry: 2000\n\n"
        while not feed.closed:
            arrival = feed.arrival()
            found = await feed.after(at)
            if found:
                at = found[-1].position
            text = b"".join(_event(each) for each in found if order_id in ("", each.order_id))
            now = asyncio.get_running_loop().time()
            if not text and now - said >= heartbeat:
                text = b": still here\n\n"
            if text:
                said = now
                yield text
            if not found and feed.head <= at:
                await either(arrival, max(0.05, min(1.0, said + heartbeat - now)))
    finally:
        service.metrics.clients.dec()
        feed.leave()


def _event(each: Entry) -> bytes:
    return b"id: %d\nevent: fact\ndata: %s\n\n" % (each.position, each.text)
