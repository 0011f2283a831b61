"""`POST /orders`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api import waiting
from api.asked import idempotency_key, json_body, key_of, wait_of, wait_seconds
from api.cards import token
from api.forms import LARGEST, OrderForm
from api.hot import told
from api.problems import Problem
from api.service import Service, given_service, service_of
from api.wanted import Wanted, WantedLine, decode
from api.wishes import Ids, Made, fingerprint, submit
from domain.message import Line
from domain.order.messages import PlaceOrder
from store.catalogue import Item

router = APIRouter(tags=["orders"], dependencies=[Depends(json_body)])


@router.post(
    "/orders",
    status_code=202,
    summary="Place an order",
    responses=told(409, 413, 415, 422, 503, at_rest=201),
)
async def place_order(
    form: OrderForm,
    key: Annotated[str, Depends(idempotency_key)],
    wait: Annotated[int, Depends(wait_seconds)],
    service: Annotated[Service, Depends(given_service)],
) -> Response:
    """Take the order in; its fate shows up at the returned location."""
    return await place(service, msgspec.convert(form.model_dump(), Wanted), key, wait)


async def quickly(request: Request, body: bytes) -> Response | None:
    """The route without the framework; None for a body that it should have a look at."""
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    if kind != "application/json":
        return None
    try:
        wanted = decode(body)
    except msgspec.DecodeError:
        return None  # the form says what is wrong with it
    key = key_of(request.headers.get("idempotency-key"))
    return await place(service_of(request), wanted, key, wait_of(request.headers.get("prefer")))


async def place(service: Service, wanted: Wanted, key: str, wait: int) -> Response:
    """The same for a body that was read already."""

    async def make(ids: Ids) -> Made:
        return await placed(service, wanted, ids)

    done = await submit(service, key, fingerprint("POST /orders", wanted), make, waits=wait > 0)
    order_id = done.wish.record_key
    return await waiting.answer(
        service, done, location=f"/orders/{order_id}", wait=wait, order_id=order_id, new=True
    )


async def placed(service: Service, wanted: Wanted, ids: Ids) -> Made:
    """The command, at the prices of the catalogue and with its contact sealed."""
    lines = await priced(service, wanted.lines)
    contact, contact_key = await _sealed(service, wanted, ids.order_id)
    command = PlaceOrder(
        ids.order_id,
        lines,
        lines[0].unit_price.currency,
        payment_method=token(wanted.payment_method),
        customer_id=wanted.customer_id,
        contact=contact,
        language=wanted.language,
        shortage=wanted.shortage,
    )
    return Made(command, {"order_id": ids.order_id, "status": "accepted"}, contact_key)


async def priced(service: Service, wanted: Sequence[WantedLine]) -> tuple[Line, ...]:
    """The lines at the prices of the catalogue, each with the warehouse where its sku lies."""
    return lines_at(await service.prices.find({line.sku for line in wanted}), wanted)


def lines_at(items: Mapping[str, Item], wanted: Sequence[WantedLine]) -> tuple[Line, ...]:
    """The lines at the prices of these items; raises a Problem."""
    skus = {line.sku for line in wanted}
    unknown = sorted(skus - items.keys())
    if unknown:
        raise Problem(
            422,
            "sku_unknown",
            f"not in the catalogue: {', '.join(unknown[:20])}",
            hint="GET /catalogue lists what there is.",
            skus=unknown,
        )
    _refuse_other_prices(wanted, items)
    if len({item.price.currency for item in items.values()}) > 1:
        raise Problem(422, "currencies_differ", "an order has to be in one currency")
    if sum(items[line.sku].price.amount_minor * line.quantity for line in wanted) > LARGEST:
        raise Problem(422, "amount_too_large", "the total does not fit 64 bits")
    return tuple(
        Line(number, line.sku, line.quantity, item.price, item.title, item.warehouse)
        for number, line in enumerate(wanted, 1)
        for item in [items[line.sku]]
    )


def _refuse_other_prices(wanted: Sequence[WantedLine], items: Mapping[str, Item]) -> None:
    changed = [
        {
            "sku": line.sku,
            "unit_price": {"amount_minor": price.amount_minor, "currency": price.currency},
        }
        for line in wanted
        if line.unit_price is not None
        for price in [items[line.sku].price]
        if (line.unit_price.amount_minor, line.unit_price.currency)
        != (price.amount_minor, price.currency)
    ]
    if changed:
        raise Problem(
            409,
            "price_changed",
            "a price is not the one of the catalogue any more",
            hint="Order again at the prices in lines, or leave unit_price out.",
            lines=changed,
        )


async def _sealed(
    service: Service, wanted: Wanted, order_id: str
) -> tuple[str, tuple[str, bytes] | None]:
    """The contact under the key of its customer, a guest's under one of the order's own, which
    is written down with the order."""
    if wanted.contact is None:
        return "", None
    clear = msgspec.json.encode(wanted.contact)
    if wanted.customer_id:
        return await service.seal(f"customer:{wanted.customer_id}", clear), None
    guest = f"order:{order_id}"
    sealed, wrapped = service.vault.seal_first(guest, clear)
    return sealed, (guest, wrapped)
