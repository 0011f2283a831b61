"""Revenue by day."""

from fastapi import APIRouter, Request, Response

from api.hot import HotRoute, parameter, told
from api.queries import day
from api.service import service_of
from store.views import revenue

router = APIRouter(tags=["revenue"], route_class=HotRoute)


@router.get(
    "/revenue",
    summary="Revenue by day and currency",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("from", "First day", example="2026-03-01", format="date"),
            parameter("to", "Last day", example="2026-03-31", format="date"),
        ]
    },
)
async def days(request: Request) -> Response:
    """Amounts in minor units; `gross` counts an order once confirmed, on the day it was placed."""
    since = day("from", request.query_params.get("from"))
    until = day("to", request.query_params.get("to"))
    async with service_of(request).db() as conn:
        found = await revenue.read(conn, since, until)
    return Response(b'{"days":' + found + b"}", media_type="application/json")
