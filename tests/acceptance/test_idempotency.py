"""The same wish twice is one wish."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx

from tests.acceptance.shop import Shop, order_of, problem


def test_the_same_key_gets_the_same_answer(shop: Shop):
    sku, key = shop.book(5), uuid4().hex
    first = shop.post("/orders", order_of((sku, 1)), key=key, wait=0)
    again = shop.post("/orders", order_of((sku, 1)), key=key, wait=0)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    shop.delivered(first.json()["order_id"])
    shop.has_level(sku, 4, 0)


def test_a_repeat_is_told_what_the_first_was_told(shop: Shop):
    """Whatever the order has become, and whether or not the repeat would wait."""
    sku, key = shop.book(5), uuid4().hex
    first = shop.post("/orders", order_of((sku, 1)), key=key)
    order_id = first.json()["order_id"]
    shop.delivered(order_id)
    kept = [shop.post("/orders", order_of((sku, 1)), key=key, wait=wait) for wait in (20, 0)]
    for again in kept:
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["location"] == f"/orders/{order_id}"


def test_a_202_stays_a_202(shop: Shop):
    sku, key = shop.book(5), uuid4().hex
    first = shop.post("/orders", order_of((sku, 1)), key=key, wait=0)
    shop.delivered(first.json()["order_id"])
    again = shop.post("/orders", order_of((sku, 1)), key=key)
    assert (again.status_code, again.content) == (202, first.content)
    assert "preference-applied" not in again.headers


def test_a_key_of_another_wish_is_refused(shop: Shop):
    sku, key = shop.book(5), uuid4().hex
    first = shop.post("/orders", order_of((sku, 1)), key=key)
    assert first.status_code == 201
    other = shop.post("/orders", order_of((sku, 2)), key=key)
    assert problem(other) == (422, "idempotency_key_reused")
    elsewhere = shop.post(f"/orders/{first.json()['order_id']}/cancel", key=key)
    assert problem(elsewhere) == (422, "idempotency_key_reused")


def test_fifty_equal_requests_at_once_are_one_order(shop: Shop):
    sku, customer = shop.book(100), f"c-{uuid4().hex}"
    body = order_of((sku, 1), customer_id=customer)
    headers = {"Idempotency-Key": uuid4().hex, "Prefer": "wait=20"}

    def post(_: int) -> httpx.Response:
        return httpx.post(f"{shop.url}/orders", json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} == {201}
    [order_id] = {answer.json()["order_id"] for answer in answers}
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(shop.get(f"/customers/{customer}/orders")["orders"]) == 1
    facts = shop.get(f"/orders/{order_id}/timeline")["facts"]
    assert [fact["type"] for fact in facts].count("quire.order.placed.v1") == 1
    shop.delivered(order_id)
    shop.has_level(sku, 99, 0)


def test_a_refusal_is_remembered_too(shop: Shop):
    sku, key = shop.book(5), uuid4().hex
    order_id = shop.place((sku, 9))["order_id"]
    refused = [shop.post(f"/orders/{order_id}/cancel", key=key) for _ in range(2)]
    assert [problem(answer) for answer in refused] == [(409, "order_closed")] * 2
    assert refused[0].content == refused[1].content
    assert ["idempotent-replayed" in answer.headers for answer in refused] == [False, True]


def test_goods_that_come_in_twice_under_one_key_come_in_once(shop: Shop):
    sku, key = shop.book(), uuid4().hex
    for _ in range(3):
        shop.post(f"/stock/{sku}/receipts", {"quantity": 7}, key=key)
    shop.has_level(sku, 7, 0)
