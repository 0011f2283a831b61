"""What can be read of orders, and how pages go on."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from domain import deadlines
from domain.inventory.messages import StockReceived
from store.connect import AsyncConnection
from streams.projector import Projector
from tests.integration.api.world import catch_up
from tests.integration.facts import life, record


async def test_pages_go_on_where_they_ended_while_orders_come(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    for n in range(7):
        await record(conn, life(f"page-{n}", customer_id="pager")[:1])
    await catch_up(conn)
    path = "/customers/pager/orders?limit=3"
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(path + cursor)).json()
        seen += [each["order_id"] for each in page["orders"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        await record(conn, life(f"new-{len(seen)}", customer_id="pager")[:1])
        await catch_up(conn)
    assert [each for each in seen if each.startswith("page-")] == [
        f"page-{n}" for n in range(6, -1, -1)
    ]
    assert len(seen) == len(set(seen))
    empty = (await client.get("/orders?status=pending&customer=pager&to=2020-01-01")).json()
    assert empty == {"orders": [], "next": None}


async def test_the_rest_of_what_can_be_read(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    await record(conn, [StockReceived("mug", 5), *life("read-1")])
    await catch_up(conn)
    timeline = (await client.get("/orders/read-1/timeline")).json()
    assert len(timeline["facts"]) == 20  # all of its life but what the stock stream holds
    assert timeline["facts"][0]["data"]["order_id"] == "read-1"
    level = (await client.get("/stock/mug")).json()
    assert (level["title"], level["available"]) == ("Mug", level["on_hand"] - level["reserved"])
    assert any(each["sku"] == "mug" for each in (await client.get("/stock")).json()["stock"])
    days = (await client.get("/revenue?from=2026-03-01&to=2026-03-01")).json()["days"]
    assert days[0]["currency"] == "EUR"
    day = "/revenue/minutes?from=2026-03-01&to=2026-03-02"
    placed = (await client.get(day)).json()
    assert placed["position"] >= timeline["facts"][-1]["position"]
    assert placed["minutes"]["2026-03-01T09:30Z"]["revenue"]["EUR"] >= 1790
    last = "/revenue/minutes?from=9999-12-31T01:00Z&to=9999-12-31T02:00Z"
    assert (await client.get(last)).json()["minutes"] == {}
    feed = (await client.get("/events?after=0&limit=5")).json()
    assert [each["position"] for each in feed["events"]][-1] == feed["next"]
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["postgres"], ready.json()["kafka"]) == (
        503, "ok", "no_answer",
    )  # fmt: skip
    metrics = (await client.get("/metrics")).text
    assert 'quire_http_requests_total{method="GET",route="/orders/{order_id}/timeline"' in metrics
    described = (await client.get("/openapi.json")).json()
    assert "/orders/{order_id}/returns/{number}/receive" in described["paths"]
    assert (await client.get("/docs")).status_code == 200


async def test_an_order_tells_its_next_deadline_and_what_it_will_do(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    await record(conn, life("due")[:3])
    projector = Projector(conn)
    while await projector.step():
        pass

    async def told() -> Any:
        return (await client.get("/orders/due")).json()["next_deadline"]

    async def arm(stream: str, name: str, minute: int) -> None:
        await conn.execute(
            "insert into timer values (%s, %s, %s, %s, 'kind', 'due', 'order', 'due', %s, '{}')",
            (stream, name, uuid4(), datetime(2026, 3, 1, 9, minute, tzinfo=UTC), uuid4()),
        )

    assert await told() is None
    await arm("order-due", deadlines.EXPIRE, 45)
    await arm("order-due", deadlines.EXPIRE_AT_LAST, 59)
    await arm("order-due.1", deadlines.COMPLETE, 1)  # somebody else's
    await arm("shipment-due.1", deadlines.POLL, 2)  # nobody waits for it
    assert await told() == {
        "at": "2026-03-01T09:45:00Z",
        "kind": "expire_unpaid",
        "effect": "the order expires unless it is paid: its stock is released",
    }
    await arm("payment-due", deadlines.AUTHENTICATE, 40)
    assert await told() | {"effect": ""} == {
        "at": "2026-03-01T09:40:00Z",
        "kind": "expire_authentication",
        "effect": "",
    }
    await conn.execute("delete from timer where key = 'due'")
    assert await told() is None
