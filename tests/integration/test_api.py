"""The API on a real Postgres; what it publishes is kept in a list."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from api.app import create_app
from api.settings import Settings
from api.wishes import CALLER
from bus.message import Message
from bus.publisher import PublishFailed
from domain import deadlines
from domain.inventory.messages import StockReceived
from domain.order.messages import PlaceOrder
from store import idempotency
from store.codec import decode_command
from store.connect import AsyncConnection, connect
from store.views import served
from streams.projector import Projector
from tests.integration.facts import life, record

ITEMS = [
    {"sku": "mug", "title": "Mug", "price": {"amount_minor": 500, "currency": "EUR"}},
    {"sku": "pen", "title": "Pen", "price": {"amount_minor": 120, "currency": "GBP"}},
]
ORDER = {
    "lines": [{"sku": "mug", "quantity": 2}],
    "payment_method": "tok_approve",
    "contact": {"name": "Ada", "email": "ada@example.org", "address": "Somewhere 1"},
}


class Kept:
    """A publisher that keeps what it is given, and fails when it is told to."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.down = False

    async def publish(self, topic: str, message: Message) -> None:
        if self.down:
            raise PublishFailed("down")
        self.messages.append((topic, message))


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[AsyncConnection]:
    async with await connect(postgres_dsn, name="test") as conn:
        yield conn


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def settings(postgres_dsn: str, tmp_path: Path) -> Settings:
    return Settings(
        postgres_dsn=postgres_dsn,  # pyright: ignore[reportArgumentType] pydantic wraps it
        kafka="127.0.0.1:1",
        state_dir=tmp_path,
    )


@pytest.fixture
async def client(settings: Settings, kept: Kept) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, kept)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            await client.put("/catalogue", json={"items": ITEMS})
            yield client


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert {"type", "title", "detail"} <= problem.keys()
    return problem["code"]


async def test_an_order_is_written_down_sealed_published_and_known(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    answer = await client.post("/orders", json=ORDER, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 202
    order_id = answer.json()["order_id"]
    assert answer.headers["location"] == f"/orders/{order_id}"

    [(topic, message)] = kept.messages
    assert (topic, message.key, message.source) == ("quire.order.commands", order_id, "quire/api")
    command = decode_command(message.type, message.data)
    assert isinstance(command, PlaceOrder)
    assert command.lines[0].unit_price.amount_minor == 500
    assert command.contact.startswith("v1:")
    cursor = await conn.execute("select string_agg(i::text, '') from idempotency i")
    row = await cursor.fetchone()
    assert b"ada@" not in message.data
    assert row is not None
    assert b"ada@".hex() not in row[0]

    document = (await client.get(f"/orders/{order_id}")).json()
    assert (document["order_id"], document["status"]) == (order_id, "accepted")
    assert "contact" not in document


async def test_the_same_key_is_the_same_wish(client: httpx.AsyncClient, kept: Kept) -> None:
    key = {"Idempotency-Key": "same ü"}
    headers = {b"idempotency-key": "same ü".encode()}
    first = await client.post("/orders", json=ORDER, headers=headers)
    again = await client.post("/orders", json=ORDER, headers=headers)
    assert key
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = await client.post("/orders", json={**ORDER, "language": "zh"}, headers=headers)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert len(kept.messages) == 1


async def test_fifty_equal_requests_at_once_are_one_order(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    headers = {"Idempotency-Key": "fifty"}
    posts = (client.post("/orders", json=ORDER, headers=headers) for _ in range(50))
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert len({message.id for _, message in kept.messages}) == 1


async def test_what_kafka_did_not_take_is_published_by_the_next_try(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    headers = {"Idempotency-Key": "later"}
    kept.down = True
    failed = await client.post("/orders", json=ORDER, headers=headers)
    assert (failed.status_code, code_of(failed)) == (503, "unavailable")
    assert failed.headers["retry-after"]
    kept.down = False
    answer = await client.post("/orders", json=ORDER, headers=headers)
    assert answer.status_code == 202
    assert len(kept.messages) == 1


async def outcome(conn: AsyncConnection, id: object, result: str, code: str | None = None) -> None:
    await conn.execute(
        "insert into outcome (command_id, result, code) values (%s, %s, %s)", (id, result, code)
    )
    await conn.execute("notify quire_log")


async def until(look: Callable[[], object]) -> None:
    while not look():
        await asyncio.sleep(0.005)


async def test_waiting_ends_with_the_order_at_rest(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    waiting = asyncio.create_task(
        client.post("/orders", json=ORDER, headers={"Prefer": "respond-async, wait=20"})
    )
    await until(lambda: kept.messages)
    [(_, message)] = kept.messages
    await record(conn, life(message.key)[:5])
    await outcome(conn, message.id, "applied")
    await catch_up(conn)
    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.content == (await client.get(answer.headers["location"])).content


async def test_waiting_tells_a_refusal_by_its_code(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    await record(conn, life("refused-1"))
    await catch_up(conn)
    waiting = asyncio.create_task(
        client.post("/orders/refused-1/cancel", headers={"Prefer": "wait=20"})
    )
    await until(lambda: kept.messages)
    await outcome(conn, kept.messages[0][1].id, "refused", "order_closed")
    answer = await waiting
    assert (answer.status_code, code_of(answer)) == (409, "order_closed")
    assert answer.json()["details"] == {}


@pytest.mark.parametrize("wait", [{}, {"Prefer": "wait=20"}])
async def test_the_first_answer_under_a_key_is_the_only_one(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection, wait: dict[str, str]
) -> None:
    """A document, a 202 and a refusal are all kept, whatever has become of the order since."""

    async def ask(path: str, key: str, **headers: str) -> httpx.Response:
        body = ORDER if path == "/orders" else None
        return await client.post(path, json=body, headers={"Idempotency-Key": key, **headers})

    keys = {name: uuid4().hex for name in ("document", "accepted", "refused")}
    waiting = asyncio.create_task(ask("/orders", keys["document"], Prefer="wait=20"))
    await until(lambda: kept.messages)
    order_id, id = kept.messages[0][1].key, kept.messages[0][1].id
    await record(conn, life(order_id)[:5])
    await outcome(conn, id, "applied")
    await catch_up(conn)
    cancel = f"/orders/{order_id}/cancel"
    first = {"document": await waiting, "accepted": await ask(cancel, keys["accepted"])}
    refusing = asyncio.create_task(ask(cancel, keys["refused"], Prefer="wait=20"))
    await until(lambda: len(kept.messages) == 3)
    await outcome(conn, kept.messages[1][1].id, "refused", "too_late")
    await outcome(conn, kept.messages[2][1].id, "refused", "order_closed")
    first["refused"] = await refusing
    await record(conn, life(order_id)[5:])
    await catch_up(conn)

    assert [first[name].status_code for name in keys] == [201, 202, 409]
    for name, key in keys.items():
        again = await ask("/orders" if name == "document" else cancel, key, **wait)
        assert (again.status_code, again.content) == (first[name].status_code, first[name].content)
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first[name].headers
    assert (await client.get(f"/orders/{order_id}")).content != first["document"].content


async def test_who_waits_is_answered_as_whoever_was_answered_first(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    waiting = asyncio.create_task(
        client.post("/orders", json=ORDER, headers={**key, "Prefer": "wait=20"})
    )
    await until(lambda: kept.messages)
    [(_, message)] = kept.messages
    quick = await client.post("/orders", json=ORDER, headers=key)
    assert quick.status_code == 202
    await record(conn, life(message.key)[:5])
    await outcome(conn, message.id, "applied")
    await catch_up(conn)
    answer = await waiting
    assert (answer.status_code, answer.content) == (202, quick.content)


async def catch_up(conn: AsyncConnection) -> None:
    projector = Projector(conn)
    while await projector.step():
        pass


async def test_patience_that_ends_leaves_the_202(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json=ORDER, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


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


async def test_the_label_of_a_parcel_is_asked_for_again(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    await record(conn, life("label-1")[:5])
    await catch_up(conn)
    asked = await client.post("/orders/label-1/parcels/2/label")
    assert asked.status_code == 202, asked.text
    [sent] = kept.messages
    assert (sent[0], sent[1].type) == ("quire.shipping.commands", "quire.shipping.retry_label")
    assert msgspec.json.decode(sent[1].data) == {"order_id": "label-1", "parcel_id": "label-1.2"}
    assert (await client.post("/orders/label-1/parcels/0/label")).status_code == 422


async def test_wishes_about_lines_name_them_by_number_or_sku(
    client: httpx.AsyncClient, kept: Kept, conn: AsyncConnection
) -> None:
    await record(conn, life("lines-1")[:5])
    await catch_up(conn)
    body = {"lines": [{"sku": "mug", "quantity": 1}]}
    assert (await client.post("/orders/lines-1/cancel", json=body)).status_code == 202
    sent = msgspec.json.decode(kept.messages[0][1].data)
    assert sent["lines"] == [{"line": 1, "sku": "mug", "quantity": 1}]
    unknown = await client.post(
        "/orders/lines-1/cancel", json={"lines": [{"line": 9, "quantity": 1}]}
    )
    assert code_of(unknown) == "line_unknown"
    received = await client.post("/stock/mug/receipts", json={"quantity": 4})
    assert received.json()["sku"] == "mug"
    assert kept.messages[-1][0] == "quire.inventory.commands"


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
