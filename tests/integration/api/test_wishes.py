"""A wish is written down, published and known, once, however often it is asked for."""

import asyncio

import httpx
import msgspec

from domain.order.messages import PlaceOrder
from store.codec import decode_command
from store.connect import AsyncConnection
from tests.integration.api.world import ORDER, Kept, catch_up, code_of
from tests.integration.facts import life, record


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
