"""Facts as they are served: an order's timeline, and the audit feed."""

import msgspec
from fastapi import APIRouter, Request, Response

from api.fact_text import public
from api.hot import HotRoute, parameter, told
from api.known import known_document
from api.queries import limit, position
from api.service import service_of
from store import log

router = APIRouter(tags=["facts"], route_class=HotRoute)

LARGEST_PAGE = 1_000
_encode = msgspec.json.Encoder().encode


@router.get(
    "/orders/{order_id}/timeline",
    summary="All facts of an order",
    responses=told(404, answer=200),
    openapi_extra={"parameters": [parameter("order_id", "The order", where="path")]},
)
async def timeline(request: Request) -> Response:
    """Each with its time, its cause (the command's id) and its data, in the order recorded."""
    order_id = request.path_params["order_id"]
    async with service_of(request).db() as conn:
        found = await log.read_order(conn, order_id)
        if not found:
            await known_document(conn, order_id)
    return Response(
        _encode({"order_id": order_id, "facts": list(map(public, found))}),
        media_type="application/json",
    )


@router.get(
    "/events",
    summary="The audit feed",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("after", "A position", type="integer", default=0, example=0),
            parameter("limit", f"1 to {LARGEST_PAGE}", type="integer", default=100),
        ]
    },
)
async def feed(request: Request) -> Response:
    """Every fact after a position, in commit order. Gaps between positions mean nothing."""
    asked = request.query_params
    after = position(asked.get("after"))
    wanted = limit(asked.get("limit"), largest=LARGEST_PAGE, usual=100)
    async with service_of(request).db() as conn:
        found = await log.tail(conn, after, wanted)
    last = found[-1].position if found else after
    return Response(
        _encode({"events": list(map(public, found)), "next": last}), media_type="application/json"
    )
