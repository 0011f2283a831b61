"""Stock, parcels and preferences, as their own workers decide them."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import psycopg

from domain.inventory.messages import ReceiveStock, ReserveStock
from domain.message import LineQuantity, SkuQuantity
from domain.notification.messages import Notify, SetPreferences
from domain.shipping.decider import decider as shipping
from domain.shipping.evolve import IMPLIED
from domain.shipping.messages import (
    CreateShipment,
    RecordScan,
    ScanEvent,
    ScanStatus,
    ShipmentHandedOver,
)
from tests.integration.engine.world import engine, facts, unique
from tests.integration.hand import Topic
from tests.spec import NOON


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
