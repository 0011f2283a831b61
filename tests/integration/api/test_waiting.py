"""Who waits hears what became of the wish, and everybody the same."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from store.connect import AsyncConnection
from tests.integration.api.world import ORDER, Kept, catch_up, code_of
from tests.integration.facts import life, record


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


async def test_patience_that_ends_leaves_the_202(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json=ORDER, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
