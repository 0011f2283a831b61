"""Live updates: facts as they come, and none missing for who comes back."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from tests.acceptance.shop import Shop

Event = tuple[int, dict[str, Any]]


def events(
    shop: Shop, *, after: int | None = None, last: int | None = None, order: str = ""
) -> Iterator[Event]:
    """Follow the line; `after` as the first time, `last` as a browser that comes back."""
    asked = {
        **({"after": after} if after is not None else {}),
        **({"order": order} if order else {}),
    }
    headers = {"Last-Event-ID": str(last)} if last is not None else {}
    with httpx.stream("GET", f"{shop.url}/live", params=asked, headers=headers, timeout=30) as line:
        assert line.status_code == 200
        assert line.headers["content-type"].startswith("text/event-stream")
        number = 0
        for text in line.iter_lines():
            if text.startswith("id: "):
                number = int(text[4:])
            elif text.startswith("data: "):
                yield number, json.loads(text[6:])


def test_an_order_is_followed_from_its_first_fact_to_the_door(shop: Shop):
    sku = shop.book(3)
    begin = shop.get("/events", after=0, limit=1)["events"][0]["position"]
    order_id = shop.place((sku, 1))["order_id"]
    seen: list[int] = []
    for number, fact in events(shop, after=begin, order=order_id):
        assert fact["position"] == number
        assert fact["data"]["order_id"] == order_id
        seen.append(number)
        if fact["type"] == "quire.order.delivered.v1":
            break
    told = shop.get(f"/orders/{order_id}/timeline")["facts"]
    assert seen == [fact["position"] for fact in told if fact["position"] <= seen[-1]]


def test_who_comes_back_goes_on_after_the_last_fact_seen(shop: Shop):
    sku = shop.book(5)
    first = shop.place((sku, 1))["order_id"]
    begin = shop.get(f"/orders/{first}/timeline")["facts"][0]["position"] - 1
    seen: list[int] = []
    for number, _ in events(shop, after=begin):
        seen.append(number)
        if len(seen) == 3:
            break  # the line breaks here
    second = shop.place((sku, 1))["order_id"]
    for number, fact in events(shop, last=seen[-1], after=0):  # Last-Event-ID counts
        seen.append(number)
        if fact["data"].get("order_id") == second:
            break
    feed = shop.get("/events", after=begin, limit=1000)["events"]
    assert seen == [fact["position"] for fact in feed if fact["position"] <= seen[-1]]
