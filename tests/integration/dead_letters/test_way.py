"""From a record that nobody takes to the order after all."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from domain.inventory.messages import ReceiveStock
from domain.message import LineQuantity
from domain.shipping.messages import RecordScan, ShipmentCreated
from store import dead_letters, outcomes, parked
from store.connect import AsyncConnection
from store.dead_letters import PROCESSOR
from store.vault import Vault
from streams.dead_letters import Parking
from tests.integration.dead_letters.world import Way, letter
from tests.integration.facts import record
from tests.integration.intake_world import ORDER
from tests.integration.relay_world import until

AT = datetime(2026, 11, 21, tzinfo=UTC)


async def everything(conn: AsyncConnection) -> str:
    """All rows that could hold what a partner sent."""
    text = ""
    for table in ("parked", "idempotency", "contact_key", "outcome"):
        cursor = await conn.execute(f"select string_agg(t::text, ' ') from {table} t".encode())
        row = await cursor.fetchone()
        text += str(row[0] if row else "")
    return text


async def test_parked_sealed_and_taken_after_all(way: Way):
    """A scan came before its parcel; when the parcel is there, a person sends it again."""
    tracking = uuid4().hex
    scan = {"tracking": tracking, "scan_id": "s", "status": "lost", "at": "2026-11-20T10:00:00Z",
            "place": way.mark}  # fmt: skip
    await way.put("partner.scans", scan)
    [row] = await way.parked()
    assert (row.cause, row.kind) == ("parcel_unknown", "dev.knative.kafka.event")
    assert row.error.startswith("409 parcel_unknown, from http://127.0.0.1:")
    told = {name: value.decode() for name, value in row.record_headers}
    assert told.keys() == {
        "ce_id", "ce_source", "ce_type", "ce_knativeerrordest", "ce_knativeerrorcode",
    }  # fmt: skip
    seen = await everything(way.conn)
    assert way.mark not in seen
    assert way.mark.encode().hex() not in seen
    assert "v1:" in (row.body or b"").decode()

    await way.wish(row, "redrive")
    again = await way.tried(row)
    assert (again.cause, again.wish, again.attempts) == ("parcel_unknown", None, 2)

    made = ShipmentCreated("o", f"o.{tracking[:6]}", (LineQuantity(1, "mug", 1),), "x", tracking)
    await record(way.conn, [made])
    await way.wish(again, "redrive")
    assert await way.gone(row) == "applied"
    [command] = way.intake.commands()
    assert isinstance(command, RecordScan)
    assert command.place == way.mark
    cursor = await way.conn.execute(
        "select count(*) from contact_key where subject = %s", (f"dead-letter:{row.command_id}",)
    )
    assert await cursor.fetchone() == (0,)


async def test_a_letter_holds_back_no_order(way: Way):
    """What comes after it, with the same key, goes on."""
    await way.put("partner.goods-receipts", {"lines": "none"})
    await way.put("partner.goods-receipts", {"lines": []})
    await way.put("partner.goods-receipts", {"lines": [{"sku": "mug", "quantity": 4}]})
    rows = await way.parked(2)
    assert [row.cause for row in rows] == ["data_not_valid"] * 2
    assert len({row.key for row in rows}) == 2

    async def taken() -> bool:
        return way.intake.commands() == [ReceiveStock("mug", 4)]

    await until(taken)


async def test_given_up_with_a_reason(way: Way):
    await way.put("partner.orders", {**ORDER, "surprise": way.mark})
    [row] = await way.parked()
    await way.wish(row, "discard", nudged=False)
    assert await way.gone(row) == "discarded"
    found = (await outcomes.find(way.conn, [row.command_id]))[row.command_id]
    assert json.loads(found.detail or "") == {"by": "me", "because": "why"}


async def test_a_letter_of_knatives(way: Way):
    await letter(way)
    [row] = await way.parked()
    assert row.error.startswith("503 not_delivered, from")
    await way.wish(row, "redrive")
    assert await way.gone(row) == "applied"
    assert way.intake.commands() == [ReceiveStock("mug", 1)]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"knativeerrordest": "http://u:secret@169.254.169.254/x?y=z"}, "address_not_allowed"),
        ({"knativeerrordest": "http://127.0.0.1:1/events"}, "address_not_allowed"),
        ({"knativeerrordest": "file:///etc/passwd"}, "address_not_allowed"),
        ({"knativeerrordest": "http://["}, "address_not_allowed"),
        ({"knativeerrordest": ""}, "no_address"),
        ({"id": ""}, "no_address"),
    ],
)
async def test_it_is_posted_only_where_that_is_allowed(
    way: Way, changes: dict[str, str], cause: str
):
    await letter(way, **changes)
    [row] = await way.parked()
    await way.wish(row, "redrive")
    again = await way.tried(row)
    assert (again.cause, again.wish) == (cause, None)
    assert "secret" not in again.error + row.error + str(row.record_headers)
    assert way.intake.commands() == []


async def test_an_event_that_calls_itself_a_nudge_is_a_letter(way: Way):
    await letter(way, type=parked.NUDGE)
    [row] = await way.parked()
    assert row.kind == parked.NUDGE


async def test_read_twice_it_is_parked_once(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """The group forgot how far it came; also when a person has moved it meanwhile."""
    await conn.execute("delete from parked")
    await conn.execute("delete from contact_key")
    parking = Parking(conn, Vault(bytes(32)), asyncio.Event())
    headers: list[tuple[str, bytes | None]] = [("ce_id", b"1"), ("ce_type", b"a\0b")]
    one = Record("letters", 0, 7, 1_763_722_800_123, None, None, headers)
    for _ in range(2):
        await parking.take(one)
    [row] = await parked.listing(conn, processor=PROCESSOR)
    assert row.cause == "not_an_event"
    await dead_letters.leaves(
        conn, row._replace(wish="discard", wished_by="me", wished_because="", wished_at=AT)
    )
    await parking.take(one)
    await parking.take(one._replace(offset=8))
    [row] = await parked.listing(conn, processor=PROCESSOR)
    assert row.key.startswith("letters/0/8")
    cursor = await conn.execute("select count(*) from contact_key where subject like 'dead-%%'")
    assert await cursor.fetchone() == (1,)


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
