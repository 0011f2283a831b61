"""`POST /orders`."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api import waiting
from api.asked import idempotency_key, wait_seconds
from api.forms import LARGEST, LineForm, OrderForm
from api.hot import told
from api.problems import Problem
from api.service import Service, service_of
from api.wishes import Ids, Made, fingerprint, submit
from domain.message import Line
from domain.order.messages import PlaceOrder
from store import catalogue
from store.catalogue import Item
from store.connect import AsyncConnection

router = APIRouter(tags=["orders"])


@router.post(
    "/orders",
    status_code=202,
    summary="Place an order",
    responses=told(409, 413, 422, 503, at_rest=201),
)
async def place_order(
    form: OrderForm,
    key: Annotated[str, Depends(idempotency_key)],
    wait: Annotated[int, Depends(wait_seconds)],
    service: Annotated[Service, Depends(service_of)],
) -> Response:
    """Take the order in; its fate shows up at the returned location."""

    async def make(conn: AsyncConnection, ids: Ids) -> Made:
        lines = await _priced(conn, form.lines)
        command = PlaceOrder(
            ids.order_id,
            lines,
            lines[0].unit_price.currency,
            payment_method=form.payment_method,
            customer_id=form.customer_id,
            contact=await _sealed(service, conn, form, ids.order_id),
            language=form.language,
            shortage=form.shortage,
        )
        return Made(command, {"order_id": ids.order_id, "status": "accepted"})

    request = fingerprint("POST /orders", form.model_dump(mode="json"))
    done = await submit(service, key, request, make)
    order_id = done.wish.record_key
    return await waiting.answer(
        service, done, location=f"/orders/{order_id}", wait=wait, order_id=order_id, new=True
    )


async def _priced(conn: AsyncConnection, forms: Sequence[LineForm]) -> tuple[Line, ...]:
    """The lines at the prices of the catalogue."""
    items = await catalogue.find(conn, list({form.sku for form in forms}))
    unknown = sorted({form.sku for form in forms} - items.keys())
    if unknown:
        raise Problem(
            422,
            "sku_unknown",
            f"not in the catalogue: {', '.join(unknown[:20])}",
            hint="GET /catalogue lists what there is.",
            skus=unknown,
        )
    _refuse_other_prices(forms, items)
    if len({items[form.sku].price.currency for form in forms}) > 1:
        raise Problem(422, "currencies_differ", "an order has to be in one currency")
    if sum(items[form.sku].price.amount_minor * form.quantity for form in forms) > LARGEST:
        raise Problem(422, "amount_too_large", "the total does not fit 64 bits")
    return tuple(
        Line(number, form.sku, form.quantity, items[form.sku].price, items[form.sku].title)
        for number, form in enumerate(forms, 1)
    )


def _refuse_other_prices(forms: Sequence[LineForm], items: dict[str, Item]) -> None:
    changed = [
        {
            "sku": form.sku,
            "unit_price": {"amount_minor": price.amount_minor, "currency": price.currency},
        }
        for form in forms
        if form.unit_price is not None
        for price in [items[form.sku].price]
        if (form.unit_price.amount_minor, form.unit_price.currency)
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


async def _sealed(service: Service, conn: AsyncConnection, form: OrderForm, order_id: str) -> str:
    """The contact under the key of its customer, a guest's under one of the order's own."""
    if form.contact is None:
        return ""
    person = f"customer:{form.customer_id}" if form.customer_id else f"order:{order_id}"
    clear = msgspec.json.encode(form.contact.model_dump())
    return await service.vault.seal(conn, person, clear)
