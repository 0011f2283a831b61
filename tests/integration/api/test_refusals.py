"""What is no wish is refused by name, as a problem document."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.app import create_app
from api.settings import Settings
from api.wishes import CALLER
from domain.inventory.messages import StockReceived
from store import idempotency
from store.connect import AsyncConnection
from store.views import served
from tests.integration.api.world import ITEMS, ORDER, Kept, catch_up, code_of
from tests.integration.facts import life, record


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": [{"sku": "nix", "quantity": 1}]}, 422, "sku_unknown"),
        (
            {"lines": [{"sku": "mug", "quantity": 1, "unit_price": ITEMS[1]["price"]}]},
            409,
            "price_changed",
        ),
        ({"lines": [{"sku": s, "quantity": 1} for s in ("mug", "pen")]}, 422, "currencies_differ"),
        ({"lines": [{"sku": "mug", "quantity": 2**62}]}, 422, "amount_too_large"),
        ({"lines": [{"sku": "mug", "quantity": 2**63}]}, 422, "not_valid"),
        ({"lines": [{"sku": "mug", "quantity": 1.5}]}, 422, "not_valid"),
        ({"lines": [{"sku": "mug", "quantity": "1"}]}, 422, "not_valid"),
        ({"lines": [{"sku": "mug", "quantity": True}]}, 422, "not_valid"),
        ({"lines": [{"sku": "mug", "quantity": 0}]}, 422, "not_valid"),
        ({"lines": []}, 422, "not_valid"),
        ({"surprise": 1}, 422, "not_valid"),
        ({"payment_method": "a\0b"}, 422, "text_not_storable"),
        ({"customer_id": "\ufffe\0"}, 422, "text_not_storable"),
    ],
)
async def test_an_order_that_is_not_valid_is_refused_by_name(
    client: httpx.AsyncClient, kept: Kept, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post("/orders", json={**ORDER, **changes})
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert kept.messages == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"lines":[{"sku":"mug","quantity":NaN}],"payment_method":"x"}', 422),
        (b'{"lines":[{"sku":"mug","quantity":1e999}],"payment_method":"x"}', 422),
        (b'{"lines":[{"sku":"mug","quantity":' + b"9" * 5000 + b'}],"payment_method":"x"}', 400),
        (b"[" * 100_000, 400),
        (b"{", 422),
        (b"", 422),
        (b"\xff", 422),
        (b'{"lines":[{"sku":"\\ud800","quantity":1}],"payment_method":"x"}', 422),
        (b'{"a":"' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
async def test_a_body_that_is_no_order_gets_a_problem(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/orders", content=body, headers=headers)
    assert answer.status_code == status
    code_of(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_that_is_not_sent_as_json_is_refused_by_every_wish(
    client: httpx.AsyncClient, kind: str | None
) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]
    wishes = [
        (method, path.format(order_id="o", sku="mug", number=1, customer_id="c"))
        for path, methods in described.items()
        for method, wish in methods.items()
        if method in {"post", "put"} and not path.startswith(("/webhooks", "/events"))
        if "415" in wish["responses"]
    ]
    assert len(wishes) >= 11
    headers = {"content-type": kind} if kind else {}
    for method, path in wishes:
        answer = await client.request(method, path, content=b"{}", headers=headers)
        assert (path, answer.status_code) == (path, 415)
        assert code_of(answer) == "content_type_not_json"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/orders", 405, "method_not_allowed"),
        ("GET", "/orders/none", 404, "order_not_found"),
        ("GET", "/orders/none/timeline", 404, "order_not_found"),
        ("POST", "/orders/none/cancel", 404, "order_not_found"),
        ("POST", "/orders/none/return", 404, "order_not_found"),
        ("POST", "/orders/none/returns/0/approve", 422, "not_valid"),
        ("POST", "/orders/none/returns/1/approve", 404, "order_not_found"),
        ("POST", "/orders/none/pay", 422, "not_valid"),
        ("GET", "/orders/%00", 422, "text_not_storable"),
        ("GET", "/orders/%ed%a0%80", 422, "text_not_storable"),
        ("GET", "/orders?status=%00", 422, "text_not_storable"),
        ("GET", "/orders?limit=0", 422, "limit_not_valid"),
        ("GET", "/orders?limit=1e3", 422, "limit_not_valid"),
        ("GET", "/orders?cursor=abc", 422, "cursor_not_valid"),
        ("GET", "/orders?from=yesterday", 422, "time_not_valid"),
        ("GET", "/customers/%00/orders", 422, "text_not_storable"),
        ("GET", "/stock/none", 404, "sku_not_found"),
        ("GET", "/stock?limit=99999", 422, "limit_not_valid"),
        ("GET", "/revenue?from=2026-13-01", 422, "day_not_valid"),
        ("GET", "/revenue/minutes?from=2026-03-01", 422, "range_not_valid"),
        ("GET", "/revenue/minutes?from=2026-03-01&to=2026-03-03", 422, "range_not_valid"),
        ("GET", "/events?after=-1", 422, "position_not_valid"),
        ("GET", "/live?after=x", 422, "position_not_valid"),
        ("PUT", "/catalogue", 422, "not_valid"),
        ("POST", "/stock/mug/receipts", 422, "not_valid"),
        ("POST", "/stock/mug/adjustments", 422, "not_valid"),
    ],
)
async def test_every_error_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_a_key_that_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json=ORDER, headers={"Idempotency-Key": "k" * 256})
    assert code_of(answer) == "idempotency_key_not_valid"


async def test_goods_that_nobody_knows_are_refused_unless_the_catalogue_comes_later(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    body, headers = {"quantity": 4}, {"Idempotency-Key": "typo"}
    for what in ({"quantity": 4}, {"delta": 4, "reason": "count"}):
        way = "receipts" if "quantity" in what else "adjustments"
        refused = await client.post(f"/stock/mgu/{way}", json=what, headers=headers)
        assert (refused.status_code, code_of(refused)) == (422, "sku_unknown")
        assert ("uncatalogued" in refused.json()["hint"]) == (way == "receipts")
    assert kept.messages == []
    later = await client.post("/stock/mgu/receipts", json={**body, "uncatalogued": True})
    assert later.status_code == 202
    await record(conn, [StockReceived("old", 4)])
    await catch_up(conn)
    assert (await client.post("/stock/old/receipts", json=body)).status_code == 202


async def test_too_much_behind_is_503_and_a_repeat_is_answered_all_the_same(
    settings: Settings, kept: Kept, conn: AsyncConnection
) -> None:
    await record(conn, life("behind"))
    app = create_app(settings.model_copy(update={"max_lag_facts": 3}), kept)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            while True:
                answer = await client.post("/orders", json=ORDER)
                if answer.status_code == 503:
                    break
            assert code_of(answer) == "overloaded"
            assert answer.headers["retry-after"]
    await catch_up(conn)
    assert await served.read(conn, ["behind"])


async def test_what_kafka_would_never_take_is_refused_before_it_is_written_down(
    client: httpx.AsyncClient, conn: AsyncConnection
):
    """A short request, and a command of 2 MB: it carries the titles."""
    item = {"sku": "tome", "title": "x" * 1000, "price": {"amount_minor": 1, "currency": "GBP"}}
    await client.put("/catalogue", json={"items": [item]})
    body = {"lines": [{"sku": "tome", "quantity": 1}] * 2000, "payment_method": "tok_approve"}
    key = str(uuid4())

    response = await client.post("/orders", json=body, headers={"Idempotency-Key": key})

    assert (response.status_code, code_of(response)) == (413, "wish_too_large")
    assert await idempotency.find(conn, CALLER, key) is None
