"""Events in from outside: each way to send one, each refusal, and repeats that change nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.message import INTAKE, RELAY
from domain.catalog import COMMANDS
from domain.inventory.messages import ReceiveStock, ReserveStock
from domain.message import Line, LineQuantity, Money
from domain.order.messages import OrderPlaced, PlaceOrder
from domain.shipping.messages import RecordScan, ShipmentCreated
from store import catalogue, log, outcomes
from store.catalogue import Item
from store.connect import AsyncConnection
from streams.agents import declare
from streams.engine import Engine
from streams.reactions import commands_of
from tests.integration.facts import life, record
from tests.integration.hand import Topic, settings
from tests.integration.intake_world import ORDER, SOURCE, Intake, item, plain, serving
from tests.integration.test_api import code_of

AT = "2026-11-20T10:00:00Z"
SCAN = {"tracking": "T1", "scan_id": "s9", "status": "in_transit", "at": AT, "place": "Hull"}
RECEIPT = {
    "reference": "note 7",
    "lines": [
        {"sku": "mug", "quantity": 3},
        {"sku": "pen", "quantity": 1},
        {"sku": "mug", "quantity": 2},
    ],
}


@pytest.fixture
async def intake(postgres_dsn: str, tmp_path: Path, conn: AsyncConnection) -> AsyncIterator[Intake]:
    skus = ("pen", "a", "b", "place", "named")
    await catalogue.put(conn, [Item(sku, sku.title(), Money(500, "EUR")) for sku in skus])
    async with serving(postgres_dsn, tmp_path) as made:
        yield made


@pytest.fixture
async def parcel(conn: AsyncConnection) -> str:
    """An order with a parcel that has its label: tracking number T1 and id `shipped.1`."""
    if not await log.read_order(conn, "shipped"):
        await record(conn, life("shipped"))
    return "shipped.1"


async def test_an_order_in_binary_mode(intake: Intake, conn: AsyncConnection):
    answer = await intake.binary(
        "partner.order.v1",
        "binary-1",
        ORDER,
        ce_subject="theirs",
        ce_traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ce_shop="north",
        ce_partitionkey="evil",
        ce_prev="evil",
        ce_correlation="evil",
        ce_causation="evil",
        ce_position="7",
    )
    assert (answer.status_code, answer.content) == (202, b"")
    [(topic, message)] = intake.kept.messages
    [command] = intake.commands()
    assert isinstance(command, PlaceOrder)
    assert (topic, message.source, message.key) == (
        "quire.order.commands", INTAKE, command.order_id,
    )  # fmt: skip
    assert command.lines == (Line(1, "mug", 2, Money(500, "EUR"), "Mug"),)
    assert command.contact.startswith("v1:")
    headers = dict(message.headers())
    assert headers["ce_shop"] == b"north"
    assert headers["ce_traceparent"].startswith(b"00-4bf9")
    assert headers["ce_partitionkey"] == headers["ce_correlation"] == message.key.encode()
    assert headers.keys().isdisjoint({"ce_prev", "ce_causation", "ce_position"})
    assert headers["ce_subject"] == f"order-{message.key}".encode()
    cursor = await conn.execute(
        "select string_agg(i::text || convert_from(body, 'UTF8'), '') from idempotency i"
    )
    row = await cursor.fetchone()
    assert row is not None
    assert "v1:" in row[0]
    assert "ada@" not in row[0]


async def test_a_scan_in_structured_mode(intake: Intake, parcel: str):
    event = item("partner.scan.v1", "structured-1", SCAN, time=None, datacontenttype=None)
    answer = await intake.structured(event)
    assert (answer.status_code, answer.content) == (202, b"")
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    [(topic, message)] = intake.kept.messages
    assert (topic, message.key) == ("quire.shipping.commands", "shipped")
    assert intake.commands() == [RecordScan("shipped", parcel, "s9", "in_transit", at, "Hull")]


async def test_goods_in_a_batch(intake: Intake, parcel: str):
    events = [
        item("partner.goods-receipt.v1", "batch-1", RECEIPT),
        item("partner.scan.v1", "batch-2", {"parcel_id": parcel, "status": "lost", "at": AT}),
    ]
    answer = await intake.structured(events, batch=True)
    assert (answer.status_code, answer.content) == (202, b"")
    found = intake.commands()
    assert ReceiveStock("mug", 5, "note 7") in found
    assert ReceiveStock("pen", 1, "note 7") in found
    [scan] = [one for one in found if isinstance(one, RecordScan)]
    assert scan.scan_id == "lost-2026-11-20T10:00:00+00:00"
    assert len(found) == 3
    keys = {(topic, message.key) for topic, message in intake.kept.messages}
    assert keys >= {("quire.inventory.commands", "mug"), ("quire.inventory.commands", "pen")}
    assert (await intake.structured(events, batch=True)).status_code == 202
    assert len(intake.commands()) == 3
    assert (await intake.structured([], batch=True)).status_code == 202


async def test_a_batch_with_one_bad_event_leaves_nothing_done(intake: Intake):
    good = item("partner.goods-receipt.v1", "half-1", RECEIPT)
    for bad, status, code in (
        (item("partner.goods-receipt.v1", "half-2", {"lines": []}), 422, "data_not_valid"),
        (item("partner.unheard-of.v1", "half-2", {}), 422, "event_type_unknown"),
        ({"id": "half-2"}, 400, "event_not_valid"),
        (
            item("partner.order.v1", "half-2", {**ORDER, "lines": [{"sku": "x", "quantity": 1}]}),
            422,
            "sku_unknown",
        ),
        (
            item("partner.scan.v1", "half-2", {**SCAN, "tracking": "none"}),
            409,
            "parcel_unknown",
        ),
    ):
        answer = await intake.structured([good, bad], batch=True)
        assert (answer.status_code, code_of(answer)) == (status, code)
        assert intake.kept.messages == []
    answer = await intake.structured([good], batch=True)
    assert answer.status_code == 202
    assert len(intake.commands()) == 2


@pytest.mark.parametrize(
    ("topic", "data", "kind"),
    [
        ("partner.orders", ORDER, PlaceOrder),
        ("partner.scans", SCAN, RecordScan),
        ("partner.goods-receipts", {**RECEIPT, "lines": RECEIPT["lines"][:1]}, ReceiveStock),
    ],
)
async def test_a_plain_record_as_kafka_source_sends_it(
    intake: Intake, parcel: str, topic: str, data: Any, kind: type
):
    """With and without a content type, as its record had one; names of headers in any case."""
    body = msgspec.json.encode(data)
    first = plain(topic, 2, 41, **{"ce-key": "ada@example.org", "ce-partitionkey": "ada@x.org"})
    again = {name.title(): value for name, value in first.items()} | {
        "Content-Type": "application/json; charset=UTF-8",
        "Ce-Knativekafkapartition": "2",
        "Ce-Knativekafkaoffset": "41",
        "Ce-Kafkaheaderowner": "ada@example.org",
        "Ce-Time": "2026-11-21T12:07:00Z",
    }
    assert [(await intake.post(body, headers)).status_code for headers in (first, again)] == [
        202,
        202,
    ]
    [command] = intake.commands()
    assert isinstance(command, kind)
    sent = intake.kept.messages[0][1].headers()
    assert not any(b"ada@" in value for _, value in sent)
    other = await intake.post(body, plain(topic, 2, 42, **{"ce-sourcename": "theirs"}))
    assert other.status_code == 202
    assert len(intake.commands()) == 2


async def test_the_same_place_under_another_source_is_another_record(intake: Intake):
    headers = [
        plain("partner.goods-receipts", 0, 1),
        plain("partner.goods-receipts", 1, 1),
        plain("partner.goods-receipts", 0, 1, **{"ce-sourcename": "other"}),
        plain(
            "partner.goods-receipts",
            0,
            1,
            **{"ce-source": "/kafkasources/b#partner.goods-receipts"},
        ),
    ]
    body = b'{"lines":[{"sku":"place","quantity":1}]}'
    for each in headers * 2:
        assert (await intake.post(body, each)).status_code == 202
    assert len(intake.commands()) == len(headers)


async def test_fifty_at_once_are_one_command(intake: Intake, conn: AsyncConnection):
    posts = (intake.binary("partner.order.v1", "fifty", ORDER) for _ in range(50))
    answers = await asyncio.gather(*posts)
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert len({message.id for _, message in intake.kept.messages}) == 1
    cursor = await conn.execute(
        "select count(*), count(distinct command_id) from idempotency where key = 'fifty'"
    )
    assert await cursor.fetchone() == (1, 1)


async def test_goods_that_nobody_knows_are_taken_when_the_catalogue_comes_later(intake: Intake):
    """The whole event is refused, since the next try of it is the same one."""
    receipt = {"lines": [{"sku": "mug", "quantity": 1}, {"sku": "mgu", "quantity": 2}]}
    refused = await intake.binary("partner.goods-receipt.v1", "typo", receipt)
    assert (refused.status_code, code_of(refused)) == (422, "sku_unknown")
    assert refused.json()["skus"] == ["mgu"]
    assert intake.commands() == []
    told = {**receipt, "uncatalogued": True}
    taken = await intake.binary("partner.goods-receipt.v1", "later", told)
    assert taken.status_code == 202
    assert ReceiveStock("mgu", 2) in intake.commands()


async def test_an_id_names_one_event(intake: Intake):
    receipt = {"lines": [{"sku": "mug", "quantity": 1}]}
    answers = [
        await intake.binary("partner.goods-receipt.v1", "once", receipt),
        await intake.binary("partner.goods-receipt.v1", "once", receipt, ce_source="//other"),
        await intake.binary("partner.goods-receipt.v1", "once", receipt, ce_time=AT),
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len(intake.commands()) == 2
    more = {"lines": [{"sku": "mug", "quantity": 2}, {"sku": "pen", "quantity": 2}]}
    answer = await intake.binary("partner.goods-receipt.v1", "once", more)
    assert (answer.status_code, code_of(answer)) == (422, "event_id_reused")
    assert answer.headers["kne-reason"] == "event_id_reused"
    assert len(intake.commands()) == 2


async def test_ids_that_look_alike_are_two(intake: Intake):
    receipt = {"lines": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 1}]}
    pairs = [("a|b", "c"), ("a", "b|c"), ("a#1", "c"), ("a", "c"), ("1:a", "c")]
    for source, id in pairs:
        answer = await intake.binary("partner.goods-receipt.v1", id, receipt, ce_source=source)
        assert answer.status_code == 202
    assert len({message.id for _, message in intake.kept.messages}) == 2 * len(pairs)


async def test_what_kafka_did_not_take_comes_again_with_its_extensions(intake: Intake):
    intake.kept.down = True
    answer = await intake.binary("partner.order.v1", "down", ORDER, ce_shop="north")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    intake.kept.down = False
    assert (await intake.binary("partner.order.v1", "down", ORDER)).status_code == 202
    [(_, message)] = intake.kept.messages
    assert ("ce_shop", b"north") in message.headers()


async def test_an_unknown_parcel_means_later(intake: Intake, conn: AsyncConnection):
    scan = {**SCAN, "tracking": "T-late"}
    answer = await intake.binary("partner.scan.v1", "late", scan)
    assert (answer.status_code, code_of(answer)) == (409, "parcel_unknown")
    assert answer.headers["retry-after"] == "1"
    events = [one for one in life("late") if type(one).__name__ != "ShipmentCreated"]
    created = ShipmentCreated("late", "late.1", (LineQuantity(1, "mug", 3),), "x", "T-late")
    await record(conn, [*events[:5], created])
    assert (await intake.binary("partner.scan.v1", "late", scan)).status_code == 202
    [command] = intake.commands()
    assert isinstance(command, RecordScan)
    assert (command.order_id, command.parcel_id) == ("late", "late.1")


async def test_a_repeat_counts_although_the_item_is_gone(intake: Intake, conn: AsyncConnection):
    await catalogue.put(conn, [Item("rare", "Rare", Money(1, "EUR"))])
    rare = {**ORDER, "lines": [{"sku": "rare", "quantity": 1}]}
    assert (await intake.binary("partner.order.v1", "rare", rare)).status_code == 202
    await conn.execute("delete from catalogue where sku = 'rare'")
    await conn.execute("notify quire_catalogue")
    n = 0
    while (await intake.binary("partner.order.v1", f"rare-{n}", rare)).status_code != 422:
        n += 1
    before = len(intake.commands())
    again = [item("partner.order.v1", "rare", rare), item("partner.order.v1", "rare", rare)]
    assert (await intake.structured(again[0])).status_code == 202
    assert (await intake.structured(again, batch=True)).status_code == 202
    assert len(intake.commands()) == before


TOMORROW = (datetime.now(UTC) + timedelta(days=2)).isoformat()
UNREAD = "content_type_not_supported"
ENOUGH = {"lines": [{"sku": "mug", "quantity": 1}]}


@pytest.mark.parametrize(
    ("type", "data", "status", "code"),
    [
        ("partner.order.v1", {**ORDER, "surprise": 1}, 422, "data_not_valid"),
        ("partner.order.v1", {**ORDER, "lines": [{"sku": "x", "quantity": 1}]}, 422, "sku_unknown"),
        (
            "partner.order.v1",
            {
                **ORDER,
                "lines": [
                    {
                        "sku": "mug",
                        "quantity": 1,
                        "unit_price": {"amount_minor": 1, "currency": "EUR"},
                    }
                ],
            },
            422,
            "price_changed",
        ),
        ("partner.order.v1", {**ORDER, "customer_id": "a\0"}, 422, "text_not_storable"),
        ("partner.order.v1", [], 422, "data_not_valid"),
        ("partner.scan.v1", {"status": "lost", "at": AT}, 422, "data_not_valid"),
        ("partner.scan.v1", {**SCAN, "at": "2026-11-20T10:00:00"}, 422, "data_not_valid"),
        ("partner.scan.v1", {**SCAN, "at": TOMORROW}, 422, "data_not_valid"),
        ("partner.scan.v1", {**SCAN, "status": "eaten"}, 422, "data_not_valid"),
        ("partner.scan.v1", {**SCAN, "scan_id": "a\nb"}, 422, "data_not_valid"),
        ("partner.scan.v1", {**SCAN, "parcel_id": "no-number"}, 422, "data_not_valid"),
        ("partner.goods-receipt.v1", {"lines": []}, 422, "data_not_valid"),
        (
            "partner.goods-receipt.v1",
            {"lines": [{"sku": "m", "quantity": 2**62}] * 2},
            422,
            "data_not_valid",
        ),
        ("partner.order.v2", ORDER, 422, "event_type_unknown"),
        ("dev.knative.kafka.event", ORDER, 422, "topic_unknown"),
    ],
)
async def test_what_cannot_be_taken_is_refused_for_good(
    intake: Intake, type: str, data: Any, status: int, code: str
):
    """Alone in binary mode, and within a batch, which names the event that it is about."""
    answer = await intake.binary(type, "x", data, ce_subject="partition:0#1")
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.headers["kne-reason"] == code
    assert intake.kept.messages == []


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, b"{}", 400, "not_an_event"),
        ({"content-type": "application/json"}, b"{}", 400, "not_an_event"),
        ({"ce-specversion": ""}, b"{}", 400, "event_not_valid"),
        ({"ce-id": ""}, b"{}", 400, "event_not_valid"),
        ({"ce-source": ""}, b"{}", 400, "event_not_valid"),
        ({"ce-type": ""}, b"{}", 400, "event_not_valid"),
        ({"ce-specversion": "0.3"}, b"{}", 400, "event_not_valid"),
        ({"ce-time": "yesterday"}, b"{}", 400, "event_not_valid"),
        ({"ce-no_name": "x"}, b"{}", 400, "event_not_valid"),
        ({"ce-id": "x" * 1001}, b"{}", 422, "attribute_too_long"),
        ({"ce-id": "%00"}, b"{}", 422, "text_not_storable"),
        ({"ce-shop": "x" * 1001}, b"{}", 422, "attribute_too_long"),
        ({"content-type": "text/plain"}, b"{}", 415, UNREAD),
        ({"content-type": "application/json; charset=latin-1"}, b"{}", 415, UNREAD),
        ({"content-type": "application/cloudevents+avro"}, b"{}", 415, UNREAD),
        ({"content-type": "application/cloudevents+json"}, b"[]", 400, "event_not_valid"),
        ({"content-type": "application/cloudevents-batch+json"}, b"{}", 400, "event_not_valid"),
        ({"content-type": "application/cloudevents+json"}, b"{", 422, "data_not_json"),
        ({"ce-shop": "x"}, b"", 422, "data_missing"),
        ({"ce-shop": "x"}, b"null", 422, "data_missing"),
        ({"ce-shop": "x"}, b"{", 422, "data_not_json"),
        ({"ce-shop": "x"}, b"[" * 100_000, 422, "data_not_json"),
        ({"ce-shop": "x"}, b"\xff", 422, "text_not_storable"),
        ({"ce-shop": "x"}, b'{"lines":[{"sku":"\\u0000"}]}', 422, "text_not_storable"),
        ({"ce-shop": "x"}, b'"' + b"x" * 1_100_000 + b'"', 413, "body_too_large"),
    ],
)  # fmt: skip
async def test_what_is_no_event_is_refused_for_good(
    intake: Intake, headers: dict[str, str], body: bytes, status: int, code: str
):
    known = {
        "ce-specversion": "1.0",
        "ce-id": "x",
        "ce-source": SOURCE,
        "ce-type": "partner.order.v1",
    }
    binary = any(name.startswith("ce-") for name in headers) or b"/json;" in body
    sent = {**(known if binary or _is_data(headers) else {}), **headers}
    answer = await intake.post(body, {name: value for name, value in sent.items() if value})
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.headers["kne-reason"] == code
    assert intake.kept.messages == []


def _is_data(headers: dict[str, str]) -> bool:
    kind = headers.get("content-type", "")
    return kind.startswith("text/") or "charset" in kind


async def test_a_tombstone_is_refused_for_good(intake: Intake):
    """A record without a value comes with an empty body."""
    answer = await intake.post(b"", plain("partner.orders", 0, 7, **{"ce-key": "o-1"}))
    assert (answer.status_code, answer.headers["kne-reason"]) == (422, "data_missing")


async def test_too_much_work_means_later(postgres_dsn: str, tmp_path: Path, conn: AsyncConnection):
    await conn.execute(
        "insert into parked (processor, topic, partition, key, command_id, kind, cause, error,"
        " headers, body, attempts, parked_at) select 'order', 'quire.order.commands', 0, 'much',"
        " gen_random_uuid(), 'k', 'bad_data', '', '[]'::json, ''::bytea, 1, clock_timestamp()"
    )
    async with serving(postgres_dsn, tmp_path, max_parked=0) as intake:
        while (
            answer := await intake.binary("partner.goods-receipt.v1", "much", ENOUGH)
        ).is_success:
            await asyncio.sleep(0.01)
            await conn.execute("delete from idempotency where key = 'much'")
        assert (answer.status_code, code_of(answer)) == (503, "overloaded")
        assert answer.headers["retry-after"]


async def test_nothing_else_is_served(intake: Intake):
    for path in ("/orders", "/stock/mug/receipts"):
        assert (await intake.client.post(path, json=ORDER)).status_code == 404
    assert (await intake.client.get("/healthz")).status_code == 200
    assert (await intake.client.get("/events")).status_code == 405
    assert "/events" in (await intake.client.get("/openapi.json")).json()["paths"]


async def test_an_outside_id_equal_to_a_coming_relay_id(
    intake: Intake, postgres_dsn: str, tmp_path: Path, conn: AsyncConnection
):
    """PROTOCOL 2, test 6: an event is named like the command that the relay will send next."""
    lines = (Line(1, "named", 1, Money(500, "EUR")),)
    await record(conn, [OrderPlaced("o-6", lines, Money(500, "EUR"))])
    [placed] = await log.read_order(conn, "o-6")
    [(coming, reserve)] = [
        (one.id, one)
        for one in commands_of(placed, dict.fromkeys(COMMANDS, 0))
        if one.type == ReserveStock.kind
    ]
    receipt = {"lines": [{"sku": "named", "quantity": 1}]}
    for source in (SOURCE, RELAY):
        answer = await intake.binary(
            "partner.goods-receipt.v1", str(coming), receipt, ce_source=source
        )
        assert answer.status_code == 202
    received = [message for _, message in intake.kept.messages]
    assert coming not in {message.id for message in received}

    chosen = settings(postgres_dsn, tmp_path)
    engine = Engine(declare("inventory", chosen), chosen)
    await engine.own({0: 0})
    topic = Topic()
    await engine.handle([topic.send(message) for message in [*received, reserve]])
    await engine.close()
    found = await outcomes.find(conn, [coming, *(message.id for message in received)])
    assert {outcome.result for outcome in found.values()} == {"applied"}
    assert len(found) == 3
