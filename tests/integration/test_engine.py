"""The owner of a partition, on a real Postgres (PROTOCOL 1-7)."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from bus.message import TIMERS
from domain.inventory.messages import ReceiveStock, ReserveStock
from domain.message import Line, LineQuantity, Money, SkuQuantity
from domain.notification.messages import Notify, SetPreferences
from domain.order.messages import CancelOrder, ExpireOrder, PlaceOrder, RecordStockReserved
from domain.shipping.decider import decider as shipping
from domain.shipping.evolve import IMPLIED
from domain.shipping.messages import (
    CreateShipment,
    RecordScan,
    ScanEvent,
    ScanStatus,
    ShipmentHandedOver,
)
from store import outcomes, parked, timers
from store.connect import connect
from store.log import Recorded, read_streams
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic, message, named, settings
from tests.integration.relay_world import within
from tests.spec import NOON


def place(order_id: str, sku: str = "mug", quantity: int = 1) -> PlaceOrder:
    return PlaceOrder(order_id, (Line(1, sku, quantity, Money(500, "GBP")),), "GBP", "tok_approve")


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await connect(postgres_dsn, name="test") as conn:
        yield conn


async def engine(context: str, dsn: str, path: Path, partitions: int = 1) -> Engine:
    chosen = settings(dsn, path)
    made = Engine(declare(context, chosen), chosen)
    await made.own(dict.fromkeys(range(partitions)))
    return made


async def facts(db: psycopg.AsyncConnection, stream: str) -> list[Recorded]:
    return (await read_streams(db, [stream])).get(stream, [])


async def result(db: psycopg.AsyncConnection, origin: str) -> str | None:
    found = await outcomes.find(db, [named(origin)])
    return found[named(origin)].result if found else None


async def test_a_command_leaves_its_facts_and_one_outcome(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    order = unique("o")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()

    await owner.handle([topic.command(place(order), f"{order}/place")])

    assert [fact.type for fact in await facts(db, f"order-{order}")] == ["quire.order.placed.v1"]
    assert await result(db, f"{order}/place") == "applied"
    await owner.close()


async def test_the_same_command_three_times_has_one_effect(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """Twice in one batch, again in a later one, and by another owner in another partition."""
    order = unique("o")
    first, topic = await engine("order", postgres_dsn, tmp_path, 2), Topic(2)
    origin = f"{order}/place"

    await first.handle([topic.command(place(order), origin), topic.command(place(order), origin)])
    await first.handle([topic.command(place(order), origin)])
    second = await engine("order", postgres_dsn, tmp_path, 2)
    await asyncio.gather(
        first.handle([topic.command(place(order), origin)]),
        second.handle([topic.command(place(order), origin, 1)]),
    )

    assert len(await facts(db, f"order-{order}")) == 1
    for one in (first, second):
        await one.close()


async def test_two_owners_of_one_partition_apply_each_message_once(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """A zombie and the new owner get the same messages and race for every batch."""
    orders = [unique("o") for _ in range(40)]
    zombie = await engine("order", postgres_dsn, tmp_path)
    owner = await engine("order", postgres_dsn, tmp_path)
    topic = Topic()
    sent = [
        topic.command(command, f"{order}/{command.kind}")
        for order in orders
        for command in (place(order), CancelOrder(order))
    ]

    async def handle(who: Engine, size: int) -> None:
        for start in range(0, len(sent), size):
            await who.handle(sent[start : start + size])

    await asyncio.gather(handle(zombie, 7), handle(owner, 5))

    for order in orders:
        versions = [fact.version for fact in await facts(db, f"order-{order}")]
        assert versions == list(range(1, len(versions) + 1))
        assert await result(db, f"{order}/{CancelOrder.kind}") == "applied"
    for one in (zombie, owner):
        await one.close()


async def test_a_fence_that_moved_stops_a_batch_that_was_decided(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """The zombie's cache says the order is unknown; the new owner placed it meanwhile."""
    order = unique("o")
    zombie, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    await zombie.handle([topic.command(CancelOrder(order), f"{order}/early")])
    owner = await engine("order", postgres_dsn, tmp_path)
    await owner.handle([topic.command(place(order), f"{order}/place")])

    await zombie.handle([topic.command(CancelOrder(order), f"{order}/cancel")])

    assert await result(db, f"{order}/early") == "refused"
    assert await result(db, f"{order}/cancel") == "applied"
    for one in (zombie, owner):
        await one.close()


async def test_a_successor_without_its_predecessor_waits(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    order = unique("o")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    await owner.handle([topic.command(place(order), f"{order}/place")])

    missing, successor = f"{order}/missing", f"{order}/reserved"
    await owner.handle([topic.relayed(RecordStockReserved(order), successor, missing)])
    assert await result(db, successor) is None
    await owner.handle(
        [
            topic.relayed(RecordStockReserved("nobody"), missing, None),
            topic.relayed(RecordStockReserved(order), successor, missing),
        ]
    )

    assert await result(db, missing) is not None
    assert await result(db, successor) == "applied"
    await owner.close()


async def test_one_poisoned_message_holds_back_its_own_key_only(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad, others = unique("bad"), [unique("o") for _ in range(20)]
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    poison = topic.raw(bad.encode(), b'{"order_id": 7}', topic.command(place(bad), bad).headers)
    behind = [topic.command(place(bad), f"{bad}/{n}") for n in range(3)]
    fine = [topic.command(place(order), f"{order}/place") for order in others]

    await owner.handle([poison, *behind, *fine])
    await owner.handle([topic.command(place(bad), f"{bad}/0")])  # a repeat adds no row

    rows = [row for row in await parked.listing(db, processor="quire-order") if row.key == bad]
    assert [row.cause for row in rows] == ["bad_data", "behind", "behind", "behind"]
    assert [await result(db, f"{order}/place") for order in others] == ["applied"] * 20
    await owner.close()


async def test_what_is_discarded_lets_those_behind_go_on(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad = unique("bad")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    await owner.handle([topic.raw(bad.encode(), b"{", headers)])
    await owner.handle([topic.command(place(bad), f"{bad}/place")])
    (head, _) = [row for row in await parked.listing(db) if row.key == bad]
    now = head.parked_at

    await parked.wish(db, [head.id], "redrive", by="me", because="", at=now)
    nudge = topic.raw(bad.encode(), b"{}", _nudge(topic, bad))
    await owner.handle([nudge])
    assert [row.attempts for row in await parked.listing(db) if row.key == bad] == [2, 1]

    await parked.wish(db, [head.id], "discard", by="me", because="broken", at=now)
    await owner.handle([topic.raw(bad.encode(), b"{}", _nudge(topic, bad))])

    assert [row for row in await parked.listing(db) if row.key == bad] == []
    assert await result(db, bad) == "discarded"
    assert await result(db, f"{bad}/place") == "applied"
    await owner.handle([topic.command(CancelOrder(bad), f"{bad}/cancel")])
    assert await result(db, f"{bad}/cancel") == "applied"
    await owner.close()


async def test_a_discarded_timer_is_not_armed_any_more(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad = unique("bad")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    timer, expire = named(f"{bad}/timer"), ExpireOrder(bad)
    await db.execute(
        "insert into timer values (%s, %s, %s, now(), %s, %s, 'order', %s, %s, '{}')",
        (expire.stream, expire.kind, timer, expire.kind, bad, bad, timer),
    )
    await owner.handle([topic.raw(bad.encode(), b"{", headers), topic.timer(expire, timer)])
    rows = [row for row in await parked.listing(db) if row.key == bad]
    assert [row.cause for row in rows] == ["bad_data", "behind"]

    ids, now = [row.id for row in rows], rows[0].parked_at
    await parked.wish(db, ids, "discard", by="me", because="broken", at=now)
    await owner.handle([topic.raw(bad.encode(), b"{}", _nudge(topic, bad))])

    assert (await outcomes.find(db, [timer]))[timer].result == "discarded"
    assert await timers.armed(db, [expire.stream]) == {}
    await owner.close()


def _nudge(topic: Topic, key: str) -> list[tuple[str, bytes]]:
    headers = dict(topic.command(place(key), unique("nudge")).headers)
    headers["ce_type"] = parked.NUDGE.encode()
    return list(headers.items())


async def test_a_wish_is_found_by_the_next_owner(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """The nudge was lost with the owner (PROTOCOL 12)."""
    bad = unique("bad")
    first, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    await first.handle([topic.raw(bad.encode(), b"{", headers)])
    await first.handle([topic.command(place(bad), f"{bad}/place")])
    (head, _) = [row for row in await parked.listing(db) if row.key == bad]
    await parked.wish(db, [head.id], "discard", by="me", because="", at=head.parked_at)
    await first.close()

    second = await engine("order", postgres_dsn, tmp_path)

    async with within(30):
        while await result(db, f"{bad}/place") != "applied":
            await asyncio.sleep(0.02)
    await second.close()


async def test_an_id_too_long_for_an_index_is_parked(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    sku = "".join(uuid4().hex for _ in range(400))
    owner, topic = await engine("inventory", postgres_dsn, tmp_path), Topic()

    await owner.handle([topic.command(ReceiveStock(sku, 5), f"{sku}/in")])

    assert await result(db, f"{sku}/in") == "parked"
    await owner.close()


async def test_a_timer_that_is_not_armed_does_nothing(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    order = unique("o")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    await owner.handle([topic.command(place(order), f"{order}/place")])

    await owner.handle([topic.command(CancelOrder(order), f"{order}/timer", source=TIMERS)])

    assert await result(db, f"{order}/timer") == "noop"
    assert len(await facts(db, f"order-{order}")) == 1
    await owner.close()


async def test_hot_stock_is_never_promised_twice(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """Two inventory workers, five skus in every order, new skus on the way: no deadlock, books
    balance (PROTOCOL 5, 7)."""
    hot = [unique("hot") for _ in range(5)]
    owners = [await engine("inventory", postgres_dsn, tmp_path, 2) for _ in range(2)]
    topic = Topic(2)
    await owners[0].handle([topic.command(ReceiveStock(sku, 60), f"{sku}/in") for sku in hot])

    async def reserve(number: int) -> None:
        for batch in range(10):
            orders = [unique("o") for _ in range(10)]
            await owners[number].handle(
                [
                    topic.command(
                        ReserveStock(order, tuple(SkuQuantity(sku, 1) for sku in _turned(hot, n))),
                        f"{order}/reserve",
                        number,
                    )
                    for n, order in enumerate(orders, batch)
                ]
            )

    await asyncio.gather(reserve(0), reserve(1))

    rows = await (
        await db.execute("select on_hand, reserved from stock_level where sku = any(%s)", (hot,))
    ).fetchall()
    assert rows == [(60, 60)] * 5
    counted = await db.execute(
        "select count(*) from event where type = 'quire.inventory.reserved.v1'"
        " and data->'lines'->0->>'sku' = any(%s)",
        (hot,),
    )
    assert (await counted.fetchone()) == (60,)
    for one in owners:
        await one.close()


def _turned(items: list[str], by: int) -> list[str]:
    turn = by % len(items)
    return items[turn:] + items[:turn]


async def test_scans_that_come_twice_and_out_of_order_end_the_same(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """Two parcels hear the same eight scans, each in an order of its own, and most of them again:
    in one batch, in a later one, and by the next owner of the partition."""
    order = unique("o")
    chance, topic = random.Random(7), Topic()
    way: list[tuple[ScanStatus, int]] = [
        ("handed_over", 0), ("in_transit", 1), ("attempt_failed", 5), ("in_transit", 5),
        ("in_transit", 9), ("attempt_failed", 10), ("lost", 12), ("delivered", 20),
    ]  # fmt: skip
    for parcel in (f"{order}.1", f"{order}.2"):
        first = await engine("shipping", postgres_dsn, tmp_path)
        create = CreateShipment(order, parcel, (LineQuantity(1, "mug", 1),))
        await first.handle([topic.command(create, f"{parcel}/create")])
        scans = [
            RecordScan(order, parcel, f"s-{number}", status, NOON + timedelta(hours=hours))
            for number, (status, hours) in enumerate(way)
        ]
        sent = chance.sample(scans, len(scans)) + chance.choices(scans, k=6)
        told = [
            topic.command(scan, f"{parcel}/{number}")  # each under an id of its own
            for number, scan in enumerate(sent)
        ]
        await first.handle(told[:5])
        await first.close()
        second = await engine("shipping", postgres_dsn, tmp_path)
        await second.handle([*told[5:], *told[:3]])
        await second.close()

        written = [fact.event for fact in await facts(db, f"shipment-{parcel}")]
        state = shipping.fold(written)
        assert (state.status, state.at) == ("delivered", NOON + timedelta(hours=20))
        kept = [fact.scan_id for fact in written if isinstance(fact, ScanEvent)]
        own = [scan_id for scan_id in kept if not scan_id.endswith(IMPLIED)]
        assert sorted(own) == sorted(scan.scan_id for scan in scans)
        assert sum(isinstance(fact, ShipmentHandedOver) for fact in written) == 1


async def test_preferences_decide_what_is_sent(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    customer, order = unique("c"), unique("o")
    notify = Notify(
        f"{order}.order_confirmed.email.1", order, "order_confirmed", customer_id=customer,
        contact="sealed",
    )  # fmt: skip
    owner, topic = await engine("notification", postgres_dsn, tmp_path), Topic()

    await owner.handle(
        [
            topic.command(SetPreferences(customer, ()), f"{order}/off"),
            topic.command(notify, f"{order}/notify"),
        ]
    )

    (fact,) = await facts(db, notify.stream)
    assert fact.type == "quire.notification.suppressed.v1"
    await owner.close()


async def test_what_would_make_the_log_unreadable_or_its_hashes_unclear_is_parked(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """A time that is before the year 1 in UTC cannot be read back, and nobody can take it out."""
    early, split = unique("o"), unique("o")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    ancient = datetime.fromisoformat("0001-01-01T00:00:00+14:00")

    await owner.handle(
        [
            topic.send(replace(message(place(early), early), time=ancient)),
            topic.send(replace(message(place(split), split), source="partner\t0\n{}")),
        ]
    )

    assert await result(db, early) == "parked"
    assert await result(db, split) == "parked"
    assert not await facts(db, f"order-{early}")
    await owner.close()
