"""What is refused for good, and what only means later."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.message import LineQuantity
from domain.shipping.messages import RecordScan, ShipmentCreated
from store.connect import AsyncConnection
from tests.integration.api.world import code_of
from tests.integration.facts import life, record
from tests.integration.intake.world import AT, SCAN
from tests.integration.intake_world import ORDER, SOURCE, Intake, plain, serving


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
