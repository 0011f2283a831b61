"""The catalogue: what can be ordered, and for how much."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api.asked import json_body
from api.forms import CatalogueForm
from api.hot import HotRoute, parameter, told
from api.queries import limit
from api.service import Service, given_service, service_of
from domain.message import Money
from store import catalogue
from store.catalogue import Item

reads = APIRouter(tags=["catalogue"], route_class=HotRoute)
router = APIRouter(tags=["catalogue"], dependencies=[Depends(json_body)])

LARGEST_PAGE = 1_000


@reads.get(
    "/catalogue",
    summary="The items, by sku",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("after", "The last sku of the page before"),
            parameter("limit", f"1 to {LARGEST_PAGE}", type="integer", default=100),
        ]
    },
)
async def items(request: Request) -> Response:
    """A plain list; it is empty at the end."""
    wanted = limit(request.query_params.get("limit"), largest=LARGEST_PAGE, usual=100)
    async with service_of(request).db() as conn:
        found = await catalogue.page(conn, request.query_params.get("after", ""), wanted)
    return Response(found, media_type="application/json")


@router.put("/catalogue", summary="Add or change items", responses=told(413, 415, 422, 503))
async def put(
    form: CatalogueForm, service: Annotated[Service, Depends(given_service)]
) -> dict[str, int]:
    """Orders already placed keep their prices, and the warehouses that they are sent from."""
    async with service.db() as conn, conn.transaction():
        await catalogue.put(
            conn,
            [
                Item(
                    item.sku,
                    item.title,
                    Money(item.price.amount_minor, item.price.currency),
                    msgspec.json.encode(item.details).decode(),
                    item.warehouse,
                )
                for item in form.items
            ],
        )
    service.prices.forget()  # others are notified
    return {"items": len(form.items)}
