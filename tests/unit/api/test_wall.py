"""The wall shows each order once and in order, however often it is told, and counts by minute."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.settings import WallSettings
from api.wall.app import create_wall
from api.wall.board import MINUTES, ORDERS, Board

PLACED: dict[str, Any] = {
    "order_id": "o-1",
    "total": {"amount_minor": 2495, "currency": "EUR"},
    "lines": [],
}


@pytest.fixture
async def wall() -> AsyncIterator[httpx.AsyncClient]:
    app = create_wall(WallSettings())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://wall"
    ) as client:
        yield client


def fact(position: int, type: str, order_id: str, at: str) -> dict[str, str]:
    """The headers with which KafkaSource delivers a fact of ours."""
    return {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": f"id-{position}",
        "ce-source": "quire/relay",
        "ce-type": f"quire.order.{type}.v1",
        "ce-subject": f"order-{order_id}",
        "ce-time": at,
        "ce-position": str(position),
        "ce-partitionkey": order_id,
        "ce-knativekafkapartition": "0",
        "ce-knativekafkaoffset": str(position),
    }


async def told(wall: httpx.AsyncClient) -> dict[str, object]:
    return (await wall.get("/minutes")).json()["minutes"]


async def test_an_order_counts_once_in_the_minute_at_which_it_was_placed(wall: httpx.AsyncClient):
    late = fact(1, "placed", "o-1", "2026-11-21T13:59:59.999+01:00")
    for _ in range(3):
        answer = await wall.post("/minutes", headers=late, json=PLACED)
        assert (answer.status_code, answer.content) == (202, b"")
    other = fact(2, "placed", "o-2", "2026-11-21T12:59:00Z")
    await wall.post("/minutes", headers=other, json={**PLACED, "order_id": "o-2"})
    await wall.post("/minutes", headers=fact(3, "paid", "o-2", "2026-11-21T13:00:00Z"), json={})
    assert await told(wall) == {"2026-11-21T12:59Z": {"orders": 2, "revenue": {"EUR": 4990}}}


async def test_what_is_no_event_or_no_order_is_refused_for_good(wall: httpx.AsyncClient):
    assert (await wall.post("/minutes", content=b"{}")).status_code == 400
    head = fact(1, "placed", "o-1", "2026-11-21T12:00:00Z")
    refused = await wall.post("/minutes", headers=head, json={"total": {}})
    assert (refused.status_code, refused.headers["kne-reason"]) == (422, "data_not_valid")
    del head["ce-position"]
    assert (await wall.post("/orders", headers=head, json=PLACED)).status_code == 422
    assert await told(wall) == {}


async def test_the_page_and_what_it_needs(wall: httpx.AsyncClient):
    assert "/stream" in (await wall.get("/")).text
    assert (await wall.get("/healthz")).status_code == 200
    loud = fact(9, "payment_failed", "o-9", "2026-11-21T12:00:00Z")
    await wall.post("/attention", headers=loud, json={})
    assert (await wall.get("/minutes")).json()["attention"] == [
        "order-o-9 quire.order.payment_failed.v1"
    ]


async def test_the_stream_says_what_is_news_only():
    app = create_wall(WallSettings())
    board: Board = app.state.board
    watching = board.watch()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://wall") as client:
        for position, type in ((1, "placed"), (2, "confirmed"), (1, "placed"), (3, "shipped")):
            head = fact(position, type, "o-1", "2026-11-21T12:00:00Z")
            assert (await client.post("/orders", headers=head, json={})).status_code == 202
        stock = {**fact(4, "received", "x", "2026-11-21T12:00:00Z"), "ce-subject": "stock-x"}
        assert (await client.post("/orders", headers=stock, json={})).status_code == 202
        board.close()
        streamed = (await client.get("/stream")).text
    seen: list[tuple[str, int]] = []
    while (shown := watching.get_nowait()) is not None:
        seen.append((shown.what, shown.position))
    assert seen == [
        ("quire.order.placed.v1", 1),
        ("quire.order.confirmed.v1", 2),
        ("quire.order.shipped.v1", 3),
    ]
    [line] = [line for line in streamed.splitlines() if line.startswith("data: ")]
    assert json.loads(line.removeprefix("data: "))["position"] == 3


def test_it_does_not_grow_for_ever():
    board = Board()
    for n in range(ORDERS + 5):
        board.happened(f"o-{n}", "quire.order.placed.v1", n, "")
    assert (len(board.orders), next(iter(board.orders))) == (ORDERS, "o-5")
    for n in range(MINUTES + 5):
        board.placed("o", datetime.fromtimestamp(60 * n, UTC), 1, "EUR")
    assert (len(board.minutes), min(board.minutes)) == (MINUTES, "1970-01-01T00:05Z")
