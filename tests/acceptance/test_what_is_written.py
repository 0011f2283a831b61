"""What stands on the topics and on the disk: CloudEvents all of it, and no contact in the clear."""

import asyncio
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from aiokafka import TopicPartition
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from psycopg import sql

from bus import clients
from bus.topics import partition_counts
from domain.catalog import COMMANDS, EVENTS, TOPICS
from streams.sealer import TYPE as SEALED
from tests.acceptance.laptop import Laptop
from tests.acceptance.shop import Json, Shop, order_of
from tests.acceptance.stack import Stack
from tests.acceptance.wait import until

CHUNK = 1 << 22
PARTNERS_OWN = {
    "partner.orders", "partner.scans", "partner.goods-receipts", "quire.dead-letters"
}  # fmt: skip
COMMAND_TOPICS = set(TOPICS.values())


async def records(bootstrap: str) -> list[Any]:
    """Every record of every topic, from offset 0 on."""
    consumer: Any = clients.reader(bootstrap)
    await consumer.start()
    try:
        counts = await partition_counts(bootstrap, await consumer.topics())
        parts = [TopicPartition(topic, n) for topic, count in counts.items() for n in range(count)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends: dict[Any, int] = await consumer.end_offsets(parts)
        found: list[Any] = []
        for part, end in ends.items():
            while await consumer.position(part) < end:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
        return found
    finally:
        await consumer.stop()


async def test_every_record_is_a_cloud_event_to_the_sdk(shop: Shop, stack: Stack):
    shop.delivered(shop.place((shop.book(3), 1))["order_id"])
    seen: set[str] = set()
    for record in await records(stack.servers.kafka):
        if not record.topic.startswith("quire.") or record.topic in PARTNERS_OWN:
            continue
        headers = dict(record.headers)
        assert len(headers) == len(record.headers), "no header stands there twice"
        event = from_binary_event(KafkaMessage(headers, record.key, record.value))
        assert event.get_specversion() == "1.0"
        assert event.get_id()
        assert event.get_source()
        assert event.get_subject()
        assert event.get_time() is not None
        assert event.get_datacontenttype() == "application/json"
        assert event.get_extension("partitionkey") == record.key.decode()
        assert isinstance(event.get_data(), dict)
        kinds = COMMANDS if record.topic in COMMAND_TOPICS else {*EVENTS, SEALED}
        assert event.get_type() in kinds, record.topic
        seen.add(record.topic)
    assert seen == COMMAND_TOPICS | {"quire.events", "quire.seals"}


class Person:
    """Somebody whose every word can be found again, as can what was ordered."""

    def __init__(self, sku: str) -> None:
        self.sku = sku.encode()
        mark = uuid4().hex[:10]
        self.contact = {
            "name": f"Zwetschgina-{mark} Pflaumenstein",
            "email": f"plum.{mark}@orchard.example",
            "address": f"{mark} Damson Crescent",
        }

    @property
    def words(self) -> list[bytes]:
        return [word.encode() for text in self.contact.values() for word in text.split(" ")[:1]]


@pytest.fixture(scope="module")
def person(shop: Shop, stack: Stack) -> Person:
    """Orders and mistakes of one person, through every way there is."""
    sku = shop.book(9)
    person = Person(sku)
    contact: Json = {"contact": person.contact}
    shop.delivered(shop.place((sku, 1), **contact)["order_id"])
    shop.place((sku, 1), customer_id=f"c-{uuid4().hex}", **contact)
    shop.place((sku, 99), **contact)
    shop.place((sku, 1), card="tok_decline", **contact)
    for body in (
        order_of(("there-is-none", 1), **contact),
        order_of((sku, 0), **contact),
        {**order_of((sku, 1), **contact), "surprise": person.contact},
        {**order_of((sku, 1)), "contact": {**person.contact, "phone": 1}},
    ):
        assert shop.post("/orders", body).status_code == 422
    asyncio.run(_through_the_intake(shop, stack, person))
    broken = httpx.post(
        f"{shop.url}/orders",
        content=str(person.contact).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert broken.status_code == 422
    said = stack.quire(
        "order", "place", "--sku", sku, "--name", person.contact["name"],
        "--email", person.contact["email"], "--address", person.contact["address"], "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    shop.delivered(said.json["order_id"])
    return person


async def _through_the_intake(shop: Shop, stack: Stack, person: Person) -> None:
    """An order by the partner's topic, and one that cannot be taken, down to the parked row."""
    order = order_of((person.sku.decode(), 1), contact=person.contact, customer_id="by-topic")
    producer: Any = clients.producer(stack.servers.kafka, timeout_seconds=10)
    await producer.start()
    key = person.contact["email"].encode()
    for body in (order, {**order, "surprise": person.contact}):
        await producer.send_and_wait("partner.orders", json.dumps(body).encode(), key=key)
    await producer.stop()
    until(lambda: shop.get("/customers/by-topic/orders")["orders"], 30)
    until(lambda: stack.quire("parked", "list", "--json").lines, 30)
    [row] = stack.quire("parked", "list", "--json").lines
    assert (row["processor"], row["cause"]) == ("quire-dead-letters", "data_not_valid")
    number = str(row["id"])
    assert stack.quire("parked", "redrive", number, "--yes").code == 0
    until(lambda: stack.quire("parked", "list", "--json").lines[0]["attempts"] == 2, 30)
    assert stack.quire("parked", "discard", number, "--because", "wrong", "--yes").code == 0
    until(lambda: not stack.quire("parked", "list", "--json").lines, 30)


async def test_no_contact_is_in_the_clear_on_a_topic(person: Person, stack: Stack):
    everything = [
        part
        for record in await records(stack.servers.kafka)
        if record.topic not in PARTNERS_OWN
        for part in (
            record.key or b"",
            record.value or b"",
            *(value for _, value in record.headers),
        )
    ]
    assert found_in(person, everything) == {person.sku}


def test_no_contact_is_in_the_clear_in_a_table(person: Person, stack: Stack):
    found: set[tuple[str, bytes]] = set()
    with psycopg.connect(stack.admin_dsn()) as conn:
        tables = conn.execute(
            "select relnamespace::regnamespace::text, relname from pg_class where relkind = 'r'"
            " and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            name = sql.Identifier(schema, table)
            with conn.cursor().copy(sql.SQL("copy {} to stdout").format(name)) as copy:
                for row in copy:
                    found |= {(table, word) for word in found_in(person, [bytes(row)])}
    assert {word for _, word in found} == {person.sku}, found
    assert {table for table, _ in found} >= {"event", "idempotency", "order_view"}


def test_no_contact_is_in_the_clear_in_any_file(person: Person, laptop: Laptop):
    """Logs above all; but also the write-ahead log, Kafka's segments and the ledger. What the mail
    sink took in is one exception: it stands for the customers' own letter boxes. The other are the
    partners' own topics, and the dead letters, which are kept for three days."""
    sunk = laptop.root / "mail"
    files = [path for path in laptop.root.rglob("*") if path.is_file() and sunk not in path.parents]
    files = [path for path in files if path.parent.name.rpartition("-")[0] not in PARTNERS_OWN]
    found = {(path, word) for path in files for word in found_in(person, chunks(path))}
    assert {word for _, word in found} == {person.sku}, found
    assert {path.name for path in files} >= {"api.log", "worker-order.log", "ledger.jsonl"}


def test_a_mail_is_its_owners_alone(person: Person, laptop: Laptop):
    mails = list((laptop.root / "mail").iterdir())
    assert found_in(person, [path.read_bytes() for path in mails]) >= {person.words[1]}
    assert {stat.S_IMODE(path.stat().st_mode) for path in mails} == {0o600}


async def test_no_contact_comes_out_of_the_api(person: Person, shop: Shop):
    pages = [shop.http.get("/orders", params={"limit": 100}), shop.http.get("/metrics")]
    orders = pages[0].json()["orders"][:20]
    pages += [shop.http.get(f"/orders/{order['order_id']}/timeline") for order in orders]
    assert found_in(person, [page.content for page in pages]) == {person.sku}


def found_in(person: Person, texts: Iterable[bytes]) -> set[bytes]:
    """Which words stand there, as they are or in hex; what was ordered shows that looking works."""
    wanted = [*person.words, person.sku]
    return {
        word for text in texts for word in wanted if word in text or word.hex().encode() in text
    }


def chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces that overlap, so that no word falls between two."""
    with path.open("rb") as stream:
        tail = b""
        while piece := stream.read(CHUNK):
            yield tail + piece
            tail = piece[-100:]
