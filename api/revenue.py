"""Revenue by day, and what was placed by the minute."""

from datetime import timedelta

import msgspec
from fastapi import APIRouter, Request, Response

from api.hot import HotRoute, parameter, told
from api.problems import Problem
from api.queries import day, time
from api.service import service_of
from store.views import minutes, revenue

router = APIRouter(tags=["revenue"], route_class=HotRoute)

LONGEST = timedelta(days=1)


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


@router.get(
    "/revenue/minutes",
    summary="Orders placed, by minute",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("from", "A time", example="2026-03-01T09:30:00Z", format="date-time"),
            parameter("to", "Before this time", example="2026-03-01T10:30:00Z", format="date-time"),
        ]
    },
)
async def by_minute(request: Request) -> Response:
    """How many, and what they came to when placed, in minor units by currency; whatever became of
    them. Every order up to `position` in the log is in it; a minute without orders is left out."""
    asked = request.query_params
    since, until = time("from", asked.get("from")), time("to", asked.get("to"))
    if since is None or until is None or not timedelta(0) <= until - since <= LONGEST:
        raise Problem(
            422,
            "range_not_valid",
            "from and to have to be times, a day apart at the most",
            hint="Write ?from=2026-03-01T09:30:00Z&to=2026-03-01T10:30:00Z.",
        )
    async with service_of(request).db() as conn:
        found = await minutes.read(conn, since, until)
    return Response(msgspec.json.encode(found), media_type="application/json")
