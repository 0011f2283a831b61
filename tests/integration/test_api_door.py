"""The door on a real Postgres: what is shared, remembered and marked later is never wrong."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.app import create_app
from api.settings import Settings
from bus.message import Message
from domain.message import Money
from store import catalogue
from store.catalogue import Item
from store.connect import AsyncConnection, connect

ORDER: dict[str, Any] = {
    "lines": [{"sku": "mug", "quantity": 2}],
    "payment_method": "tok_approve",
    "contact": {"name": "Ada"},
}


class Kept:
    """Keeps what is published, once it is let."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.go = asyncio.Event()
        self.go.set()

    async def publish(self, topic: str, message: Message) -> None:
        self.messages.append(message)
        await self.go.wait()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def client(
    postgres_dsn: str, tmp_path: Path, kept: Kept, conn: AsyncConnection
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        postgres_dsn=postgres_dsn,  # pyright: ignore[reportArgumentType] pydantic wraps it
        kafka="127.0.0.1:1",
        state_dir=tmp_path,
    )
    app = create_app(settings, kept)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client


async def place(client: httpx.AsyncClient, key: str, **changes: Any) -> httpx.Response:
    return await client.post("/orders", json=ORDER | changes, headers={"Idempotency-Key": key})


async def one(conn: AsyncConnection, query: str, *values: object) -> Any:
    cursor = await conn.execute(query.encode(), values)
    row = await cursor.fetchone()
    return row[0] if row else None


async def test_every_wish_is_marked_soon(client: httpx.AsyncClient, conn: AsyncConnection) -> None:
    await asyncio.gather(*(place(client, f"marked-{n}") for n in range(20)))
    while await one(
        conn, "select count(*) from idempotency where key like 'marked-%%' and state = 'open'"
    ):
        await asyncio.sleep(0.005)
    assert await one(conn, "select count(*) from idempotency where key like 'marked-%%'") == 20


async def test_equal_requests_at_the_same_time_are_published_once(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    kept.go.clear()
    asking = [asyncio.create_task(place(client, "at once")) for _ in range(20)]
    while not kept.messages:
        await asyncio.sleep(0.005)
    late = asyncio.create_task(place(client, "at once"))
    done, _ = await asyncio.wait([*asking, late], timeout=0.2)
    assert not done, "a 202 before Kafka has it"
    kept.go.set()
    answers = await asyncio.gather(*asking, late)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(kept.messages) == 1


async def test_a_guests_key_comes_with_the_order_and_not_with_a_repeat(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    before = await one(conn, "select count(*) from contact_key")
    answers = [await place(client, "guest") for _ in range(3)]
    person = f"order:{answers[0].json()['order_id']}"
    assert await one(conn, "select count(*) from contact_key where subject = %s", person) == 1
    assert await one(conn, "select count(*) from contact_key") == before + 1


async def test_customers_at_the_same_time_have_one_key_each(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    await asyncio.gather(
        *(place(client, f"customers-{n}", customer_id=f"same-{n % 3}") for n in range(30))
    )
    count = "select count(*) from contact_key where subject like 'customer:same-%%'"
    assert await one(conn, count) == 3


async def test_a_price_that_another_process_changed_is_heard_of(
    client: httpx.AsyncClient, conn: AsyncConnection, kept: Kept
) -> None:
    async def price(n: int) -> int:
        await place(client, f"price-{n}")
        return msgspec.json.decode(kept.messages[-1].data)["lines"][0]["unit_price"]["amount_minor"]

    assert await price(0) == 500
    assert await price(1) == 500
    await catalogue.put(conn, [Item("mug", "Mug", Money(700, "EUR"))])
    n = 2
    while await price(n) != 700:
        n += 1


async def test_a_repeat_is_answered_although_the_item_is_gone(
    client: httpx.AsyncClient, conn: AsyncConnection
) -> None:
    await catalogue.put(conn, [Item("rare", "Rare", Money(1, "EUR"))])
    wanted: dict[str, Any] = {"lines": [{"sku": "rare", "quantity": 1}]}
    first = await place(client, "rare", **wanted)
    await conn.execute("delete from catalogue where sku = 'rare'")
    await conn.execute("notify quire_catalogue")
    n = 0
    while (await place(client, f"rare-{n}", **wanted)).status_code != 422:
        n += 1
    again = await place(client, "rare", **wanted)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_writer_that_lost_its_connection_writes_on(
    client: httpx.AsyncClient, admin_dsn: str, kept: Kept
) -> None:
    await place(client, "before")
    async with await connect(admin_dsn, name="test admin") as admin:
        ended = await one(
            admin,
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = 'quire api writer'",
        )
    assert ended >= 1
    answers = await asyncio.gather(*(place(client, f"after-{n}") for n in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert all("idempotent-replayed" not in answer.headers for answer in answers)


async def test_what_the_quick_reader_leaves_the_form_takes(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    """One key and one wish, in two media types: it is the same request."""
    body = msgspec.json.encode(ORDER)
    answers = [
        await client.post(
            "/orders", content=body, headers={"content-type": kind, "idempotency-key": "kinds"}
        )
        for kind in ("application/json", "application/vnd.shop+json", "application/json; a=b")
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.content for answer in answers}) == 1
    assert len(kept.messages) == 1
