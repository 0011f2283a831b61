"""Batches: each message once, in order, by one owner; or parked."""

import asyncio
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import psycopg
from msgspec.structs import replace

from bus.message import TIMERS
from domain.inventory.messages import ReceiveStock
from domain.order.messages import CancelOrder, RecordStockReserved
from streams.engine import Engine
from tests.integration.engine.world import engine, facts, place, result, unique
from tests.integration.hand import Topic, message


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
