"""Reading orders: one, and pages of them. Documents go out as they are stored."""

from fastapi import APIRouter, Request, Response

from api import known
from api.hot import HotRoute, parameter, told
from api.problems import Problem
from api.queries import LARGEST_PAGE, PAGE, limit, time
from api.service import service_of
from domain.order.status import STATUSES
from store.views import orders
from store.views.needs import ATTENTION, NEEDS
from store.views.orders import Filter

router = APIRouter(tags=["orders"], route_class=HotRoute)

_LIMIT = parameter("limit", f"1 to {LARGEST_PAGE}", type="integer", default=PAGE, example=20)
_CURSOR = parameter("cursor", "`next` of the page before")
_TIMES = [
    parameter("from", "Placed at or after", example="2026-03-01T00:00:00Z", format="date-time"),
    parameter("to", "Placed before", example="2026-04-01T00:00:00Z", format="date-time"),
]
_NEEDS = parameter(
    "needs",
    "Orders that need a person: because the carrier refused a parcel (`label`), a `message` did not"
    " leave, `money` is owed after a capture or refund that failed, a `return` wants an answer; or"
    " any of these (`attention`)",
    example="attention",
    enum=("attention", *NEEDS),
)
_STATUS = parameter("status", "The order's status", example="confirmed", enum=STATUSES)


@router.get(
    "/orders/{order_id}",
    summary="One order",
    responses=told(404, answer=200),
    openapi_extra={"parameters": [parameter("order_id", "The order", where="path")]},
)
async def one(request: Request) -> Response:
    """`status: accepted` from the moment of the 202 until its document is there."""
    document = await known.read(service_of(request), request.path_params["order_id"])
    return Response(document, media_type="application/json")


@router.get(
    "/orders",
    summary="Orders, newest first",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            _STATUS,
            _NEEDS,
            parameter("customer", "The customer"),
            *_TIMES,
            _LIMIT,
            _CURSOR,
        ]
    },
)
async def some(request: Request) -> Response:
    """A page; `next` is the cursor of the next one, null at the end."""
    return await _page(request, request.query_params.get("customer", ""))


@router.get(
    "/customers/{customer_id}/orders",
    summary="A customer's orders, newest first",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("customer_id", "The customer", where="path"), _STATUS, _NEEDS, *_TIMES,
            _LIMIT, _CURSOR,
        ]
    },
)  # fmt: skip
async def of_customer(request: Request) -> Response:
    """A customer without orders has an empty page."""
    return await _page(request, request.path_params["customer_id"])


async def _page(request: Request, customer_id: str) -> Response:
    asked = request.query_params
    wanted = Filter(
        status=_status(asked.get("status", "")),
        customer_id=customer_id,
        since=time("from", asked.get("from")),
        until=time("to", asked.get("to")),
        needs=_needs(asked.get("needs", "")),
    )
    page = (wanted, asked.get("cursor", ""), limit(asked.get("limit")))
    try:
        body = await service_of(request).pages.get(page)
    except orders.BadCursor as bad:
        raise Problem(
            422, "cursor_not_valid", "no page gave out this cursor", hint="Begin without one."
        ) from bad
    return Response(body, media_type="application/json")


def _status(text: str) -> str:
    """A misspelt one would show an empty page, as if there were none."""
    if text and text not in STATUSES:
        hint = f"Known are {', '.join(STATUSES)}."
        raise Problem(422, "status_not_valid", "no order has this status", hint=hint)
    return text


def _needs(text: str) -> int:
    if not text or text == "attention":
        return ATTENTION if text else 0
    if text not in NEEDS:
        hint = f"Known are attention, {', '.join(NEEDS)}."
        raise Problem(422, "needs_not_valid", f"there is no such need: {text}", hint=hint)
    return NEEDS[text]
