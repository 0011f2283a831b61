"""From a partner's record that nobody takes to the order after all: source, intake, agent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from api.letters import Letters
from api.rehearsal import preview
from domain.inventory.messages import ReceiveStock
from domain.message import LineQuantity
from domain.shipping.messages import RecordScan, ShipmentCreated
from store import dead_letters, outcomes, parked
from store.connect import AsyncConnection
from store.dead_letters import PROCESSOR
from store.parked import Parked
from store.parked_choice import Choice
from store.vault import Vault, read_master_key
from streams.dead_letters import Parking, agent
from streams.settings import Settings
from streams.source import deliver
from tests.integration.facts import record
from tests.integration.fresh import make_anew
from tests.integration.intake_world import ORDER, Intake, serving
from tests.integration.relay_world import until

TOPICS = ["partner.orders", "partner.scans", "partner.goods-receipts"]
MADE: list[str] = []
AT = datetime(2026, 11, 21, tzinfo=UTC)
TopicMaker = Callable[[str, int], Awaitable[str]]


class Way:
    """The whole way in: topics, source, intake, the dead letters' agent."""

    def __init__(
        self, conn: AsyncConnection, intake: Intake, producer: Any, letters: str, settings: Settings
    ) -> None:
        self.conn, self.intake, self.producer = conn, intake, producer
        self.letters, self.settings = letters, settings
        self.mark = f"plum.{uuid4().hex[:8]}@orchard.example"

    async def put(self, topic: str, data: Any) -> None:
        """A plain record, with the person in its key, its headers and its body."""
        headers = [("owner", self.mark.encode())]
        body = json.dumps(data).encode()
        await self.producer.send_and_wait(topic, body, key=self.mark.encode(), headers=headers)

    async def parked(self, count: int = 1) -> list[Parked]:
        async def there() -> bool:
            return len(await parked.listing(self.conn, processor=PROCESSOR)) >= count

        await until(there)
        return await parked.listing(self.conn, processor=PROCESSOR)

    async def wish(self, row: Parked, wish: str, *, nudged: bool = True) -> None:
        at = datetime.now(UTC)
        await parked.wish(self.conn, [row.id], wish, by="me", because="why", at=at)
        if nudged:
            nudge = [("ce_type", parked.NUDGE.encode())]
            await self.producer.send_and_wait(self.letters, b"{}", key=b"k", headers=nudge)

    async def gone(self, row: Parked) -> str:
        """Wait until the row is gone; gives what became of it."""

        async def is_gone() -> bool:
            return await parked.show(self.conn, row.id) is None

        await until(is_gone)
        return (await outcomes.find(self.conn, [row.command_id]))[row.command_id].result

    async def tried(self, row: Parked) -> Parked:
        """Wait until it was redriven in vain."""

        async def again() -> bool:
            found = await parked.show(self.conn, row.id)
            return found is not None and found.attempts > row.attempts

        await until(again)
        found = await parked.show(self.conn, row.id)
        assert found is not None
        return found


@pytest.fixture
async def way(
    postgres_dsn: str, kafka: str, topics: TopicMaker, tmp_path: Path, conn: AsyncConnection
) -> AsyncIterator[Way]:
    if not MADE:  # nothing of an earlier run; after that one source reads on
        await make_anew(kafka, TOPICS, 3)
        MADE.append(f"g-{uuid4().hex}")
    await conn.execute("delete from parked")
    letters = await topics("letters", 1)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(serving(postgres_dsn, tmp_path))
        settings = Settings.model_validate(
            {
                "postgres_dsn": postgres_dsn, "kafka": kafka, "state_dir": tmp_path,
                "source_sink": f"{intake.url}/events", "source_group": MADE[0],
                "source_name": MADE[0], "source_retries": 1, "source_backoff_seconds": 0.01,
                "redrive_targets": f"http://elsewhere.example/events, {intake.url}/events/",
            }
        )  # fmt: skip
        works = [deliver(settings, TOPICS, stop, letters), agent(settings, stop, letters)]
        tasks = [asyncio.create_task(work) for work in works]
        producer: Any = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        yield Way(conn, intake, producer, letters, settings)
        await producer.stop()
        stop.set()
        await asyncio.gather(*tasks)


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


async def letter(way: Way, **changes: str) -> None:
    """A dead letter as Knative's sink writes it."""
    told = {
        "specversion": "1.0", "id": "K-1", "source": "//shop", "type": "partner.goods-receipt.v1",
        "partitionkey": "p", "knativeerrordest": f"{way.intake.url}/events",
        "knativeerrorcode": "503", "knativeerrordata": "d2h5",
        "datacontenttype": "application/json", **changes,
    }  # fmt: skip
    headers = [(f"ce_{name}", text.encode()) for name, text in told.items() if text]
    body = b'{"lines":[{"sku":"mug","quantity":1}]}'
    await way.producer.send_and_wait(way.letters, body, key=b"p", headers=headers)


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


async def test_a_preview_tells_what_can_be_told(way: Way):
    """What the agent or the intake would refuse now; nothing of it is posted or written."""
    tracking, letters = uuid4().hex, seen_by(way)
    scan = {"tracking": tracking, "scan_id": "s", "status": "lost", "at": "2026-11-20T10:00:00Z"}
    await way.put("partner.scans", scan)
    [late] = await way.parked()
    assert await preview_of(way, late, letters) == "parcel_unknown"
    made = ShipmentCreated("o", f"o.{tracking[:6]}", (LineQuantity(1, "mug", 1),), "x", tracking)
    await record(way.conn, [made])
    assert await preview_of(way, late, letters) == "untold"
    assert await preview_of(way, late, Letters(None, None)) == "untold"
    assert await preview_of(way, late, Letters(Vault(bytes(32)), None)) == "cannot_open"

    other = Letters.of(letters.vault, "http://elsewhere.example/events")
    assert await preview_of(way, late, other) == "address_not_allowed"
    await way.put("partner.orders", {**ORDER, "lines": [{"sku": "none", "quantity": 1}]})
    await way.put("partner.orders", {**ORDER, "surprise": 1})
    await way.put("partner.goods-receipts", {"lines": [{"sku": "none", "quantity": 1}]})
    others = [row for row in await way.parked(4) if row.id != late.id]
    assert sorted(row.cause for row in others) == ["data_not_valid", "sku_unknown", "sku_unknown"]
    for row in others:
        assert await preview_of(way, row, letters) == row.cause
    assert way.intake.commands() == []

    await way.wish(late, "redrive")
    assert await way.gone(late) == "applied"


async def test_a_preview_knows_what_was_taken_before(way: Way):
    id = uuid4().hex
    await letter(way, id=id)
    [row] = await way.parked()
    event = {"specversion": "1.0", "id": id, "source": "//shop"}
    data = {"lines": [{"sku": "mug", "quantity": 1}]}
    assert await preview_of(way, row, seen_by(way)) == "untold"
    kind = "partner.goods-receipt.v1"
    await way.intake.structured({**event, "type": kind, "data": data})
    assert await preview_of(way, row, seen_by(way)) == "sent"
    await letter(way, id=id, source="//another", knativeerrorcode="500")
    [*_, second] = await way.parked(2)
    other = {"lines": [{"sku": "mug", "quantity": 2}]}
    await way.intake.structured({**event, "source": "//another", "type": kind, "data": other})
    assert await preview_of(way, second, seen_by(way)) == "event_id_reused"


def seen_by(way: Way) -> Letters:
    master = read_master_key(way.settings.state_dir / "master.key")
    return Letters.of(Vault(master), way.settings.redrive_targets)


async def preview_of(way: Way, row: Parked, letters: Letters) -> str:
    """The cause it would stay for, `untold`, or `sent`."""
    seen = await preview(way.conn, Choice([row.id]), letters)
    assert (seen.messages, seen.sent) == (1, 1)
    if seen.failing:
        assert seen.failing[0].fails is not None
        return seen.failing[0].fails[0]
    return "untold" if seen.untold else "sent"


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
