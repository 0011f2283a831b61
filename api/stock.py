"""Stock: what there is, goods that came in, counts and write-offs."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response

from api import waiting
from api.asked import idempotency_key, json_body, wait_seconds
from api.forms import AdjustmentForm, Form, ReceiptForm
from api.goods import COMES_LATER, refuse_unknown
from api.hot import HotRoute, parameter, told
from api.problems import Problem
from api.queries import limit
from api.service import Service, given_service, service_of
from api.wishes import Ids, Made, fingerprint, submit
from domain.inventory.messages import AdjustStock, ReceiveStock, StockCommand
from store import catalogue
from store.views import stock

reads = APIRouter(tags=["stock"], route_class=HotRoute)
router = APIRouter(tags=["stock"], dependencies=[Depends(json_body)])

LARGEST_PAGE = 1_000

Sku = Annotated[str, Path(min_length=1, max_length=100)]
_encode = msgspec.json.Encoder().encode


@reads.get(
    "/stock",
    summary="All stock, by sku",
    responses=told(422, answer=200),
    openapi_extra={
        "parameters": [
            parameter("limit", f"1 to {LARGEST_PAGE}", type="integer", default=100),
            parameter("cursor", "`next` of the page before"),
        ]
    },
)
async def levels(request: Request) -> Response:
    """`available` is what is on hand and not reserved."""
    wanted = limit(request.query_params.get("limit"), largest=LARGEST_PAGE, usual=100)
    after = request.query_params.get("cursor", "")
    async with service_of(request).db() as conn:
        found = await stock.page(conn, after, wanted + 1)
    following = found[wanted - 1].sku if len(found) > wanted else None
    return Response(
        _encode({"stock": found[:wanted], "next": following}), media_type="application/json"
    )


@reads.get(
    "/stock/{sku}",
    summary="One sku",
    responses=told(404, answer=200),
    openapi_extra={"parameters": [parameter("sku", "The sku", where="path")]},
)
async def level(request: Request) -> Response:
    """A sku of the catalogue that never came in has nothing on hand."""
    sku = request.path_params["sku"]
    async with service_of(request).db() as conn:
        found = await stock.read(conn, sku)
        item = None if found else (await catalogue.find(conn, [sku])).get(sku)
    if found is not None:
        return Response(_encode(found), media_type="application/json")
    if item is None:
        raise Problem(404, "sku_not_found", f"there is no sku {sku[:100]}")
    nothing = {
        "sku": sku,
        "title": item.title,
        "warehouse": item.warehouse,
        "on_hand": 0,
        "reserved": 0,
        "available": 0,
    }
    return Response(_encode(nothing), media_type="application/json")


class Asked:
    """What every wish about stock comes with."""

    def __init__(
        self,
        sku: Sku,
        key: Annotated[str, Depends(idempotency_key)],
        wait: Annotated[int, Depends(wait_seconds)],
        service: Annotated[Service, Depends(given_service)],
    ) -> None:
        self.sku = sku
        self.key = key
        self.wait = wait
        self.service = service

    async def submit(self, name: str, form: Form, command: StockCommand, *, known: str) -> Response:
        """`known`: what to do about a sku that we do not know; empty if it may be a new one."""

        async def make(_: Ids) -> Made:
            if known:
                await refuse_unknown(self.service, [self.sku], hint=known)
            return Made(command, {"sku": self.sku, "status": "accepted"})

        # Left out where it says nothing: a request from before it was there stays the same one.
        body = form.model_dump(mode="json", exclude={"uncatalogued"} if known else None)
        request = fingerprint(f"POST /stock/{self.sku}/{name}", body)
        done = await submit(self.service, self.key, request, make, waits=self.wait > 0)
        return await waiting.answer_stock(
            self.service, done, location=f"/stock/{self.sku}", wait=self.wait
        )


@router.post(
    "/stock/{sku}/receipts",
    status_code=202,
    summary="Goods came in",
    responses=told(409, 415, 422, 503, at_rest=200),
)
async def receive(asked: Annotated[Asked, Depends()], form: ReceiptForm) -> Response:
    """Orders that wait for them are served, oldest first. `uncatalogued` takes in what no catalogue
    knows yet."""
    command = ReceiveStock(asked.sku, form.quantity, form.reference)
    return await asked.submit(
        "receipts", form, command, known="" if form.uncatalogued else COMES_LATER
    )


@router.post(
    "/stock/{sku}/adjustments",
    status_code=202,
    summary="A count or a write-off",
    responses=told(409, 415, 422, 503, at_rest=200),
)
async def adjust(asked: Annotated[Asked, Depends()], form: AdjustmentForm) -> Response:
    """Never below what is reserved."""
    command = AdjustStock(asked.sku, form.delta, form.reason)
    return await asked.submit("adjustments", form, command, known="GET /stock lists what there is.")
