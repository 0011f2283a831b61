"""The wall shows each order once and in order, however often it is told, and counts by minute."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.settings import WallSettings
from api.wall.app import create_wall
from api.wall.board import ORDERS, Board, Worth
from api.wall.feed import Feed
from api.wall.thresholds import TYPE, Threshold, event_of, parsed
from api.wall.window import MINUTES, SHOWN, Window
from store.views.minutes import Tally, name_of

PLACED: dict[str, Any] = {
    "order_id": "o-1",
    "total": {"amount_minor": 2495, "currency": "EUR"},
    "lines": [],
}
NOON = "2026-11-21T12:00Z"


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


def events(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(id, kind, data) of a stream that has ended."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in lines:
            found.append((lines["id"], lines["event"], json.loads(lines["data"])))
    return found


async def test_an_order_counts_once_in_the_minute_at_which_it_was_placed(wall: httpx.AsyncClient):
    late = fact(1, "placed", "o-1", "2026-11-21T13:59:59.999+01:00")
    for _ in range(3):
        answer = await wall.post("/minutes", headers=late, json=PLACED)
        assert (answer.status_code, answer.content) == (202, b"")
    other = fact(2, "placed", "o-2", "2026-11-21T12:59:00Z")
    await wall.post("/minutes", headers=other, json={**PLACED, "order_id": "o-2"})
    await wall.post("/minutes", headers=fact(3, "paid", "o-2", "2026-11-21T13:00:00Z"), json={})
    assert await told(wall) == {"2026-11-21T12:59Z": {"orders": 2, "revenue": {"EUR": 4990}}}


@pytest.mark.parametrize("inlet", ["/orders", "/minutes"])
async def test_what_is_no_event_or_no_order_is_refused_for_good(
    wall: httpx.AsyncClient, inlet: str
):
    assert (await wall.post(inlet, content=b"{}")).status_code == 400
    head = fact(1, "placed", "o-1", "2026-11-21T12:00:00Z")
    refused = await wall.post(inlet, headers=head, json={"total": {}})
    assert (refused.status_code, refused.headers["kne-reason"]) == (422, "data_not_valid")
    del head["ce-position"]
    refused = await wall.post(inlet, headers=head, json=PLACED)
    assert (refused.status_code, refused.headers["kne-reason"]) == (422, "position_missing")
    assert await told(wall) == {}


@pytest.mark.parametrize(
    ("inlet", "wrong"),
    [
        ("/orders", {"total": {"amount_minor": 1, "currency": "EURO"}}),
        ("/passed", {"minute": "soon", "measure": "orders", "threshold": 1}),
        ("/passed", {"minute": NOON, "measure": "revenue", "threshold": 1, "currency": ""}),
    ],
)
async def test_what_no_page_could_draw_is_refused_for_good(
    wall: httpx.AsyncClient, inlet: str, wrong: dict[str, Any]
):
    head = fact(1, "placed", "o-1", "2026-11-21T12:00:00Z")
    if inlet == "/passed":
        head["ce-type"] = TYPE
    refused = await wall.post(inlet, headers=head, json=wrong)
    assert (refused.status_code, refused.headers["kne-reason"]) == (422, "data_not_valid")
    assert (await wall.get("/minutes")).json()["passed"] == []


async def test_the_page_asks_for_nothing_from_elsewhere(wall: httpx.AsyncClient):
    page = await wall.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    asked = await wall.head("/")
    assert (asked.status_code, asked.headers) == (200, page.headers)
    for path in ("/wall.css", "/wall.js"):
        assert path in page.text
        found = await wall.get(path)
        assert found.status_code == 200
        assert "://" not in found.text
    assert "/stream" in found.text
    assert (await wall.get("/healthz")).status_code == 200


async def test_what_is_loud_and_what_was_passed_is_shown_once(wall: httpx.AsyncClient):
    loud = fact(9, "payment_failed", "o-9", "2026-11-21T12:00:00Z")
    other = fact(10, "payment_failed", "o-9", "2026-11-21T12:00:01Z")
    for head in (loud, other, loud):
        await wall.post("/attention", headers=head, json={})
    passing = event_of(NOON, Threshold("orders", "", 100))
    for _ in range(2):
        answer = await wall.post("/passed", headers=passing.http_headers(), content=passing.data)
        assert answer.status_code == 202
    other = await wall.post("/passed", headers=loud, json={})
    assert other.status_code == 202
    shown = (await wall.get("/minutes")).json()
    assert shown["attention"] == ["order-o-9 quire.order.payment_failed.v1"] * 2
    assert shown["passed"] == [
        {"minute": NOON, "measure": "orders", "threshold": 100, "currency": ""}
    ]


async def test_the_stream_says_what_is_news_only():
    app = create_wall(WallSettings())
    feed: Feed = app.state.wall.feed
    transport = httpx.ASGITransport(app)
    at, positions = 0, list[int]()
    async with httpx.AsyncClient(transport=transport, base_url="http://wall") as client:
        for position, type in ((1, "placed"), (2, "confirmed"), (1, "placed"), (3, "shipped")):
            head = fact(position, type, "o-1", "2026-11-21T12:00:00Z")
            assert (await client.post("/orders", headers=head, json=PLACED)).status_code == 202
            at, text = feed.after(at)
            positions += [data["position"] for _, _, data in events(text.decode())]
        stock = {**fact(4, "received", "x", "2026-11-21T12:00:00Z"), "ce-subject": "stock-x"}
        assert (await client.post("/orders", headers=stock, json={})).status_code == 202
        feed.close()
        [(last, kind, shown)] = events((await client.get("/stream")).text)
        again = await client.get("/stream", headers={"Last-Event-ID": last})
        other = await client.get("/stream", headers={"Last-Event-ID": "00000000-99"})
    assert positions == [1, 2, 3]
    assert (kind, shown["position"], shown["what"]) == ("order", 3, "quire.order.shipped.v1")
    assert shown["total"] == {"amount_minor": 2495, "currency": "EUR"}
    assert events(again.text) == []
    assert [data for _, _, data in events(other.text)] == [shown]


def test_what_the_board_shows_does_not_depend_on_the_order_of_telling():
    board, backwards = Board(Feed()), Board(Feed())
    facts = [(f"o-{n}", "quire.order.placed.v1", n, "", Worth(n, "EUR")) for n in range(ORDERS + 5)]
    facts += [("o-7", "quire.order.paid.v1", ORDERS + 5, "", None)]
    for each in facts:
        board.happened(*each)
    for each in reversed(facts):
        backwards.happened(*each)
    assert len(board.orders) == ORDERS
    assert "o-4" not in board.orders
    assert board.orders == backwards.orders
    assert board.orders["o-7"].total == Worth(7, "EUR")


def test_an_order_that_comes_back_still_has_its_total():
    board = Board(Feed())
    for n in range(ORDERS + 1):
        board.happened(f"o-{n}", "quire.order.placed.v1", n, "", Worth(n, "EUR"))
    assert "o-0" not in board.orders
    board.happened("o-0", "quire.order.delivered.v1", ORDERS + 1, "")
    assert board.orders["o-0"].total == Worth(0, "EUR")


def test_the_window_does_not_grow_for_ever():
    feed = Feed()
    window = Window(feed)
    for n in range(MINUTES + 5):
        window.add(name_of(datetime.fromtimestamp(60 * n, UTC)), n, 1, "EUR")
    assert (len(window.told()), min(window.told())) == (MINUTES, "1970-01-01T00:05Z")
    assert window.add("1970-01-01T00:04Z", MINUTES + 9, 1, "EUR") is None
    _, text = feed.after(0)
    assert [data["name"] for _, _, data in events(text.decode())] == sorted(window.told())[-SHOWN:]


def test_a_minute_that_is_told_late_hides_no_other():
    feed = Feed()
    window = Window(feed)
    window.add(NOON, 1, 1, "EUR")
    window.add("2026-11-21T11:30Z", 2, 1, "EUR")
    _, text = feed.after(0)
    assert {data["name"] for _, _, data in events(text.decode())} == {NOON, "2026-11-21T11:30Z"}


def test_what_was_read_counts_once_with_what_was_told():
    window = Window(Feed())
    for position in (5, 9, 12):
        window.add(NOON, position, 100, "EUR")
    window.base(NOON, 9, Tally(4, {"EUR": 700, "GBP": 30}), False)
    assert window.told() == {NOON: {"orders": 5, "revenue": {"EUR": 800, "GBP": 30}}}
    window.add(NOON, 7, 100, "EUR")
    window.base(NOON, 8, Tally(1, {}), True)  # an older answer that came late
    assert window.told() == {NOON: {"orders": 5, "revenue": {"EUR": 800, "GBP": 30}}}
    assert window.unsettled() == [NOON]
    window.base(NOON, 12, Tally(5, {"EUR": 800, "GBP": 30}), True)
    assert window.unsettled() == []
    assert window.told() == {NOON: {"orders": 5, "revenue": {"EUR": 800, "GBP": 30}}}


def test_what_was_read_again_and_found_the_same_is_no_news():
    feed = Feed()
    window = Window(feed)
    window.add(NOON, 5, 100, "EUR")
    at, _ = feed.after(0)
    window.base(NOON, 5, Tally(1, {"EUR": 100}), False)
    assert feed.after(at) == (at, b"")
    assert window.unsettled() == [NOON]


def test_a_threshold_that_was_passed_is_the_same_event_whoever_finds_it():
    one, two = parsed("orders=100 revenue.EUR=500000")
    assert event_of(NOON, one) == event_of(NOON, Threshold("orders", "", 100))
    found = [event_of(name, each) for name in (NOON, "2026-11-21T12:01Z") for each in (one, two)]
    assert len({event.attributes["id"] for event in found}) == 4
    assert event_of(NOON, two).attributes["time"] == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize(
    "text", ["orders", "orders=0", "orders=-1", "orders=1.5", "revenue=5", "revenue.eur=5", "x=1"]
)
def test_what_is_no_threshold_is_refused(text: str):
    with pytest.raises(ValueError, match="a threshold is"):
        parsed(text)
