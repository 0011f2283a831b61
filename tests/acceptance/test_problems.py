"""What cannot be is said with a problem document and a code that stays, and changes nothing."""

from typing import Any

import pytest

from tests.acceptance.shop import Shop, order_of, problem

LINE = b'{"sku":"%s","quantity":%s}'


@pytest.fixture(scope="module")
def sku(shop: Shop) -> str:
    return shop.book(1_000)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"sku": "there-is-none", "quantity": 1}, "sku_unknown"),
        ({"quantity": 0}, "not_valid"),
        ({"quantity": -1}, "not_valid"),
        ({"quantity": 2**63}, "not_valid"),
        ({"quantity": 1.5}, "not_valid"),
        ({"quantity": "2"}, "not_valid"),
        ({"quantity": True}, "not_valid"),
        ({"quantity": None}, "not_valid"),
        ({"quantity": 2**62}, "amount_too_large"),
        ({"sku": ""}, "not_valid"),
        ({"sku": "a\0b"}, "text_not_storable"),
        ({"colour": "red"}, "not_valid"),
        ({"unit_price": {"amount_minor": -1, "currency": "EUR"}}, "not_valid"),
    ],
)
def test_a_line_that_is_not_valid(shop: Shop, sku: str, line: dict[str, Any], code: str):
    body = {"lines": [{"sku": sku, "quantity": 1} | line], "payment_method": "tok_approve"}
    assert problem(shop.http.post("/orders", json=body)) == (422, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lines": []}, "not_valid"),
        ({"lines": None}, "not_valid"),
        ({"payment_method": ""}, "not_valid"),
        ({"payment_method": "\0"}, "text_not_storable"),
        ({"payment_method": "4242 4242 4242 4242"}, "card_number_refused"),
        ({"customer": "misspelt"}, "not_valid"),
        ({"customer_id": "c\0"}, "text_not_storable"),
        ({"contact": {"name": "A\0da"}}, "text_not_storable"),
        ({"contact": {"phone": "1"}}, "not_valid"),
        ({"shortage": "steal"}, "not_valid"),
        ({"language": "\U0001f600"}, "not_valid"),
    ],
)
def test_an_order_that_is_not_valid(shop: Shop, sku: str, changes: dict[str, Any], code: str):
    body = {**order_of((sku, 1)), **changes}
    assert problem(shop.http.post("/orders", json=body)) == (422, code)


def test_an_order_at_another_price_tells_the_right_one(shop: Shop, sku: str):
    body = order_of((sku, 1))
    body["lines"][0]["unit_price"] = {"amount_minor": 1, "currency": "EUR"}
    answer = shop.http.post("/orders", json=body)
    assert problem(answer) == (409, "price_changed")
    assert answer.json()["lines"][0]["unit_price"]["amount_minor"] == 700


def test_two_thousand_lines_are_taken_and_one_more_is_not(shop: Shop, sku: str):
    assert shop.post("/orders", order_of(*[(sku, 1)] * 2_001), wait=0).status_code == 422
    taken = shop.post("/orders", order_of(*[(sku, 1)] * 900), wait=0)
    assert taken.status_code == 202
    shop.becomes(taken.json()["order_id"], lambda order: order["status"] == "confirmed")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"lines":[{"sku":"x","quantity":NaN}],"payment_method":"tok_approve"}', 422),
        (b'{"lines":[{"sku":"x","quantity":Infinity}],"payment_method":"tok_approve"}', 422),
        (b'{"lines":[{"sku":"x","quantity":1e999}],"payment_method":"tok_approve"}', 422),
        (b'{"lines":[{"sku":"\\ud800","quantity":1}],"payment_method":"tok_approve"}', 422),
        (b'{"lines":[{"sku":"\\u0000","quantity":1}],"payment_method":"tok_approve"}', 422),
        (b'{"lines":[{"sku":"\xff","quantity":1}],"payment_method":"tok_approve"}', 422),
        (b"\xef\xbb\xbf{}", 422),
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"{", 422),
        (b"[" * 50_000, 400),
        (b'{"lines":"' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_order(shop: Shop, body: bytes, status: int):
    headers = {"Content-Type": "application/json"}
    assert problem(shop.http.post("/orders", content=body, headers=headers))[0] == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_a_body_of_another_kind(shop: Shop, sku: str, kind: str):
    body = b'{"lines":[' + LINE % (sku.encode(), b"1") + b'],"payment_method":"tok_approve"}'
    answer = shop.http.post("/orders", content=body, headers={"Content-Type": kind})
    assert problem(answer) == (415, "content_type_not_json")
    assert problem(shop.http.post("/orders", content=body)) == (415, "content_type_not_json")


def test_a_body_without_end_is_cut_off(shop: Shop):
    def endless():
        for _ in range(3_000):
            yield b" " * 1_000

    answer = shop.http.post("/orders", content=endless())
    assert problem(answer) == (413, "body_too_large")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_not_valid(shop: Shop, sku: str, key: str):
    answer = shop.http.post("/orders", json=order_of((sku, 1)), headers={"Idempotency-Key": key})
    assert problem(answer) == (422, "idempotency_key_not_valid")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/orders/none", 404, "order_not_found"),
        ("GET", "/orders/none/timeline", 404, "order_not_found"),
        ("POST", "/orders/none/cancel", 404, "order_not_found"),
        ("POST", "/orders/none/return", 404, "order_not_found"),
        ("GET", "/stock/there-is-none", 404, "sku_not_found"),
        ("DELETE", "/orders", 405, "method_not_allowed"),
        ("PUT", "/orders/none", 405, "method_not_allowed"),
        ("POST", "/events", 400, "not_an_event"),
        ("PUT", "/events", 405, "method_not_allowed"),
        ("GET", "/orders?limit=0", 422, "limit_not_valid"),
        ("GET", "/orders?limit=many", 422, "limit_not_valid"),
        ("GET", "/orders?status=misspelt", 422, "status_not_valid"),
        ("GET", "/orders?needs=misspelt", 422, "needs_not_valid"),
        ("GET", "/orders?cursor=x", 422, "cursor_not_valid"),
        ("GET", "/orders?from=yesterday", 422, "time_not_valid"),
        ("GET", "/orders/%00", 422, "text_not_storable"),
        ("GET", "/orders?customer=%ed%a0%80", 422, "text_not_storable"),
        ("GET", "/revenue?from=2026-02-30", 422, "day_not_valid"),
        ("GET", "/events?after=-1", 422, "position_not_valid"),
        ("GET", "/events?after=99999999999999999999", 422, "position_not_valid"),
        ("GET", "/live?after=x", 422, "position_not_valid"),
    ],
)
def test_a_place_that_is_not_there(shop: Shop, method: str, path: str, status: int, code: str):
    answer = shop.http.request(method, path)
    assert problem(answer) == (status, code)
    assert status != 405 or answer.headers["allow"]


def test_wishes_that_the_order_cannot_fulfil(shop: Shop):
    sku = shop.book(5)
    order_id = shop.place((sku, 2), card="tok_decline_insufficient")["order_id"]
    path = f"/orders/{order_id}"

    def refused(what: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        return problem(shop.post(path + what, body))

    assert refused("/cancel", {"lines": [{"line": 7, "quantity": 1}]}) == (422, "line_unknown")
    assert refused("/cancel", {"lines": [{"quantity": 1}]})[0] == 422
    assert refused("/cancel", {"lines": [{"line": 1, "quantity": 3}]})[0] == 409
    assert refused("/return")[0] == 409
    assert refused("/returns/1/approve")[0] == 409
    assert refused("/pay", {"payment_method": ""}) == (422, "not_valid")
    assert shop.order(order_id)["status"] == "awaiting_payment"


def test_stock_is_never_less_than_what_is_promised(shop: Shop):
    sku = shop.book(5)
    shop.place((sku, 4), card="tok_decline_insufficient")
    adjust = f"/stock/{sku}/adjustments"
    assert problem(shop.post(adjust, {"delta": -2, "reason": "lost"}))[0] == 409
    shop.has_level(sku, 5, 4)
    assert shop.post(adjust, {"delta": -1, "reason": "lost"}).status_code == 200
    shop.has_level(sku, 4, 4)
