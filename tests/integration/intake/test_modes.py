"""Each way to send an event in from outside."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bus.message import INTAKE
from domain.inventory.messages import ReceiveStock
from domain.message import Line, Money
from domain.order.messages import PlaceOrder
from domain.shipping.messages import RecordScan
from store.connect import AsyncConnection
from tests.integration.api.world import code_of
from tests.integration.intake.world import AT, SCAN
from tests.integration.intake_world import ORDER, Intake, item, plain

RECEIPT = {
    "reference": "note 7",
    "lines": [
        {"sku": "mug", "quantity": 3},
        {"sku": "pen", "quantity": 1},
        {"sku": "mug", "quantity": 2},
    ],
}


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
