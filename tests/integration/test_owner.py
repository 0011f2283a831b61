"""The owner of a partition, one protection at a time, on a real Postgres (PROTOCOL 1, 2, 12)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.inventory.messages import ReceiveStock, ReserveStock
from domain.message import SkuQuantity
from domain.order.messages import CancelOrder, HoldOrder, RecordStockReserved
from store import outcomes, parked, timers, unparking
from store.connect import AsyncConnection, connect
from streams.agents import declare
from streams.engine import Engine
from streams.lifecycle import CannotGoOn
from tests.faults.world import place
from tests.integration.hand import Topic, named, settings
from tests.integration.relay_world import until, within

PATIENCE = 27  # seconds; an owner that can never finish tries for ever


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[AsyncConnection]:
    async with await connect(postgres_dsn, name="test") as conn:
        await conn.execute("delete from fence")
        yield conn


async def owner(context: str, dsn: str, path: Path, partitions: int = 1) -> Engine:
    chosen = settings(dsn, path)
    made = Engine(declare(context, chosen), chosen)
    await made.own(dict.fromkeys(range(partitions)))
    return made


async def test_begins_at_the_smaller_of_two_offsets(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """1, 2: Faust may commit ahead of the work, and a topic made anew begins at 0."""
    topic = Topic()
    one = await owner("order", postgres_dsn, tmp_path)
    await one.handle([topic.command(place(f"begin-{n}"), f"begin-{n}") for n in range(10)])
    assert await one.own({0: 510}) == {0: 10}
    assert await one.own({0: 4}) == {0: 4}
    assert await one.own({0: None}) == {0: 0}
    await one.close()


async def test_remembers_nothing_from_before_its_assignment(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """1: another had the partition meanwhile; what it decided is read anew."""
    topic = Topic()
    first = await owner("order", postgres_dsn, tmp_path)
    await first.handle([topic.command(place("away"), "away/place")])
    second = await owner("order", postgres_dsn, tmp_path)
    await second.handle([topic.command(RecordStockReserved("away"), "away/reserved")])
    await first.own({0: None})
    await first.handle([topic.command(HoldOrder("away"), "away/hold")])
    assert (await outcomes.find(conn, [named("away/hold")]))[named("away/hold")].result == "applied"
    for one in (first, second):
        await one.close()


@pytest.mark.parametrize("how", ["in one batch", "in two batches", "at once"])
async def test_goods_that_are_announced_twice_arrive_once(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path, how: str
):
    """4: a command that would have its effect again."""
    sku, topic = f"ink {how}", Topic(2)
    command = ReceiveStock(sku, 5)
    first = await owner("inventory", postgres_dsn, tmp_path, 2)
    second = await owner("inventory", postgres_dsn, tmp_path, 2)

    async with within(PATIENCE):
        match how:
            case "in one batch":
                await first.handle([topic.command(command, sku) for _ in range(3)])
            case "in two batches":
                await first.handle([topic.command(command, sku)])
                await first.handle([topic.command(command, sku), topic.command(command, sku)])
            case _:
                await asyncio.gather(
                    first.handle([topic.command(command, sku, 0)]),
                    second.handle([topic.command(command, sku, 1)]),
                )
    row = await (
        await conn.execute("select on_hand, version from stock_level where sku = %s", (sku,))
    ).fetchone()
    assert row == (5, 1)
    for one in (first, second):
        await one.close()


async def test_what_only_postgres_refuses_parks_one_message(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """15: a sku too long for an index, in a place that nobody looks at before."""
    topic = Topic()
    one = await owner("inventory", postgres_dsn, tmp_path)
    skus = [f"fit-{n}" for n in range(200)]
    skus[99] = "".join(uuid4().hex for _ in range(300))
    wishes = [ReserveStock(f"fit-{n}", (SkuQuantity(sku, 1),)) for n, sku in enumerate(skus)]
    async with within(2 * PATIENCE):
        await one.handle([topic.command(wish, f"{wish.key}/reserve") for wish in wishes])
    found = await outcomes.find(conn, [named(f"fit-{n}/reserve") for n in range(200)])
    results = [found[named(f"fit-{n}/reserve")].result for n in range(200)]
    assert [n for n, each in enumerate(results) if each != "applied"] == [99]
    assert results[99] == "parked"
    await one.close()


async def test_a_stream_that_our_code_cannot_fold_holds_up_its_own_key_only(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """A fault of ours that stays is found in the batch and parked, and redriven when mended."""
    topic, chosen = Topic(), settings(postgres_dsn, tmp_path)
    context, keys = declare("order", chosen), [f"fold-{n}" for n in range(9)]
    healthy = await owner("order", postgres_dsn, tmp_path)
    await healthy.handle([topic.command(place(key), f"{key}/place") for key in keys])

    def evolve(state: Any, event: Any) -> Any:
        assert event.stream != "order-fold-4", "not understood"
        return context.evolve(state, event)

    one = Engine(replace(context, evolve=evolve), chosen)
    await one.own({0: 9})
    async with within(4 * PATIENCE):
        await one.handle(
            [topic.command(CancelOrder(key), f"{key}/cancel/{n}") for n in range(2) for key in keys]
        )
    found = await outcomes.find(conn, [named(f"{key}/cancel/0") for key in keys])
    results = [found[named(f"{key}/cancel/0")].result for key in keys]
    assert results == ["applied"] * 4 + ["parked"] + ["applied"] * 4
    rows = [row for row in await parked.listing(conn) if row.key == "fold-4"]
    assert [row.cause for row in rows] == ["cannot_handle", "behind"]

    now = await timers.now(conn)
    await parked.wish(conn, [rows[0].id], "redrive", by="me", because="mended", at=now)
    await healthy.own({0: 27})

    async def decided() -> bool:
        [each] = (await outcomes.find(conn, [named("fold-4/cancel/1")])).values()
        return each.result == "noop"

    await until(decided)
    for each in (healthy, one):
        await each.close()


async def test_a_fault_that_is_no_messages_own_ends_the_worker(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """What cannot even be parked is for a person; a network that fails is tried again for ever."""
    topic, chosen = Topic(), settings(postgres_dsn, tmp_path)
    faults: list[Exception] = [ConnectionError("away")] * 8

    def clock() -> datetime:
        if faults:
            raise faults.pop()
        return datetime.now(UTC)

    one = Engine(declare("order", chosen), chosen, clock=clock)
    await one.own({0: None})
    await one.handle([topic.command(place("net"), "net/place")])
    assert (await outcomes.find(conn, [named("net/place")]))[named("net/place")].result == "applied"
    faults += [ZeroDivisionError()] * 100
    async with within(2 * PATIENCE):
        with pytest.raises(CannotGoOn, match="cannot even be parked"):
            await one.handle([topic.command(place("ours"), "ours/place")])
    assert await outcomes.find(conn, [named("ours/place")]) == {}
    await one.close()


async def test_a_wish_that_came_meanwhile_stays(
    conn: AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """12: what could not be decided again loses the wish that was tried, not a later one."""
    topic = Topic()
    one = await owner("order", postgres_dsn, tmp_path)
    headers = topic.command(place("stuck"), "stuck").headers
    await one.handle([topic.raw(b"stuck", b"{", headers)])
    [row] = [row for row in await parked.listing(conn) if row.key == "stuck"]
    now = await timers.now(conn)
    await parked.wish(conn, [row.id], "redrive", by="me", because="", at=now)
    tried = await parked.first(conn, "quire-order", "stuck")
    assert tried is not None
    later = now + timedelta(seconds=1)
    await parked.wish(conn, [row.id], "discard", by="you", because="", at=later)
    await unparking.failed_again(conn, tried, "bad_data", "still broken")
    found = await parked.show(conn, row.id)
    assert found is not None
    assert (found.wish, found.wished_by, found.attempts) == ("discard", "you", 2)
    await one.close()
