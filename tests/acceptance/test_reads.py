"""What can be read: lists, timelines, stock, revenue, the feed, and each order that was placed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.acceptance.shop import PRICE, Shop, order_of, waiting
from tests.acceptance.wait import until

MANY = 1_000
AT_ONCE = 40


def test_a_customers_orders_come_in_pages_newest_first(shop: Shop):
    sku, customer = shop.book(20), f"c-{uuid4().hex}"
    placed = [shop.place((sku, 1), customer_id=customer)["order_id"] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.get(f"/customers/{customer}/orders", limit=2, **cursor)
        assert len(page["orders"]) <= 2
        seen += [order["order_id"] for order in page["orders"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == placed[::-1]
    assert shop.get("/orders", customer=customer)["orders"][0]["order_id"] == placed[-1]


def test_lists_are_narrowed_by_status_and_time(shop: Shop):
    sku, customer = shop.book(3), f"c-{uuid4().hex}"
    begin = datetime.now(UTC) - timedelta(minutes=1)
    kept = shop.place((sku, 1), customer_id=customer)["order_id"]
    rejected = shop.place((sku, 9), customer_id=customer)["order_id"]

    def ids(**asked: str) -> list[str]:
        found = shop.get("/orders", customer=customer, **asked)["orders"]
        return [order["order_id"] for order in found]

    assert ids(status="rejected") == [rejected]
    assert ids(status="confirmed") == [kept]
    assert ids(**{"from": begin.isoformat()}) == [rejected, kept]
    assert ids(to=begin.isoformat()) == []


def test_the_timeline_tells_each_fact_with_its_cause(shop: Shop):
    sku = shop.book(3)
    order_id = shop.delivered(shop.place((sku, 1))["order_id"])["order_id"]

    def facts_when_done() -> list[Any]:
        """The parcel's own fact shows as delivered a moment before the order hears of it."""
        found = shop.get(f"/orders/{order_id}/timeline")["facts"]
        done = {"quire.order.delivered.v1", "quire.payment.captured.v1"}
        return found if done <= {fact["type"] for fact in found} else []

    facts = until(facts_when_done)
    kinds = [fact["type"].removeprefix("quire.").rsplit(".", 1)[0] for fact in facts]
    expected = [
        "order.placed", "inventory.reserved", "order.payment-requested", "payment.authorized",
        "order.confirmed", "shipping.handed-over", "payment.captured", "order.delivered",
    ]  # fmt: skip
    found = [kind for kind in (name.replace("_", "-") for name in kinds) if kind in expected]
    assert set(found) == set(expected), kinds
    assert found.index("order.placed") == 0
    positions = [fact["position"] for fact in facts]
    assert positions == sorted(set(positions))
    for fact in facts:
        assert fact["cause"]
        assert fact["time"]
        assert fact["correlation"] == order_id
        assert isinstance(fact["data"], dict)
    for stream in {fact["stream"] for fact in facts}:
        versions = [fact["version"] for fact in facts if fact["stream"] == stream]
        assert versions == list(range(1, len(versions) + 1)), stream


def test_stock_is_listed_and_shown(shop: Shop):
    sku = shop.book(12)
    shop.post(f"/stock/{sku}/adjustments", {"delta": -2, "reason": "water damage"})
    assert shop.get(f"/stock/{sku}")["on_hand"] == 10
    seen: dict[str, Any] = {}
    cursor: dict[str, str] = {}
    while True:
        page = shop.get("/stock", limit=1000, **cursor)
        seen |= {each["sku"]: each for each in page["stock"]}
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen[sku] == shop.get(f"/stock/{sku}")
    assert list(seen) == sorted(seen)


def test_revenue_grows_by_what_is_confirmed(shop: Shop):
    sku = shop.book(9)
    today = datetime.now(UTC).date()
    asked = {"from": str(today), "to": str(today + timedelta(days=1))}

    def gross() -> int:
        return sum(day["gross"] for day in shop.get("/revenue", **asked)["days"])

    before = gross()
    shop.place((sku, 2))
    shop.place((sku, 100))  # rejected: no revenue
    assert gross() >= before + 2 * PRICE


def test_the_feed_gives_every_fact_once_in_order(shop: Shop):
    sku = shop.book(3)
    order_id = shop.place((sku, 1))["order_id"]
    wanted = {fact["id"] for fact in shop.get(f"/orders/{order_id}/timeline")["facts"]}
    after = 0
    positions: list[int] = []
    ids: set[str] = set()
    while events := (page := shop.get("/events", after=after, limit=500))["events"]:
        positions += [event["position"] for event in events]
        ids |= {event["id"] for event in events}
        after = page["next"]
        if wanted <= ids:
            break
    assert wanted <= ids
    assert positions == sorted(set(positions))


async def test_who_was_told_of_an_order_finds_it_each_time(shop: Shop):
    """Many times at once: 201, and the order is there."""
    sku = shop.book(2 * MANY)
    left = iter(range(MANY))
    late = 0

    async def customer(client: httpx.AsyncClient) -> None:
        nonlocal late
        for _ in left:
            answer = await client.post("/orders", json=order_of((sku, 1)), headers=waiting(20))
            if answer.status_code == 503:  # on a busy machine; nobody was told of an order
                assert answer.headers["retry-after"]
                late += 1
                continue
            found = await client.get(answer.headers["location"])
            assert found.status_code == 200, answer.text
            if answer.status_code == 202:  # the patience ended
                late += 1
                continue
            assert answer.status_code == 201
            assert found.json()["status"] == "confirmed"
            assert found.json()["position"] >= answer.json()["position"]

    async with httpx.AsyncClient(base_url=shop.url, timeout=60) as client:
        await asyncio.gather(*(customer(client) for _ in range(AT_ONCE)))
    assert late < MANY / 10


def test_it_tells_how_it_is_and_what_it_offers(shop: Shop):
    assert shop.get("/healthz") == {"status": "ok"}
    until(lambda: shop.http.get("/readyz").status_code == 200, 30)
    assert shop.get("/readyz") == {"status": "ready", "postgres": "ok", "kafka": "ok"}
    metrics = shop.http.get("/metrics").text
    assert "quire_http_requests_total" in metrics
    described = shop.get("/openapi.json")["paths"]
    assert {"/orders", "/orders/{order_id}/timeline", "/live", "/revenue"} <= described.keys()
    assert shop.http.get("/docs").status_code == 200
