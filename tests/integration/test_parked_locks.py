"""A redrive holds its parked row while it waits for stock; nobody waits for both of them."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

from msgspec.structs import replace

from domain.inventory.messages import ReceiveStock, ReserveStock
from domain.message import SkuQuantity
from gateways.clock import this_host
from store import parked, shelf
from store.codec import encode
from store.connect import AsyncConnection, connect
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic, message, named, settings
from tests.integration.parked_world import Room
from tests.integration.relay_world import until

PROCESSOR = "inventory"


async def test_a_batch_with_the_stock_parks_behind_a_redrive_that_waits_for_it(
    postgres_dsn: str, tmp_path: Path, room: Room
):
    """Were there a lock that the batch waits for, each would wait for the other."""
    key, sku = (f"{name}-{uuid4().hex[:8]}" for name in ("o", "mug"))
    chosen = settings(postgres_dsn, tmp_path)
    owner, topic = Engine(declare(PROCESSOR, chosen), chosen), Topic()
    await owner.own({0: None})
    await owner.handle([topic.command(ReceiveStock(sku, 5), f"{sku}/in")])
    wish = ReserveStock(key, (SkuQuantity(sku, 2),), "reject")
    headers = message(wish, f"{key}/reserve").headers()
    await owner.handle([topic.raw(key.encode(), b"{}", headers)])
    [row] = await room.rows(key)
    await room.conn.execute("update parked set body = %s where id = %s", (encode(wish), row.id))
    await parked.wish(room.conn, [row.id], "redrive", by="a", because="", at=this_host())
    nudge = replace(message(wish, "nudge"), type=parked.NUDGE)

    async with await connect(postgres_dsn, name="batch") as batch:
        async with batch.transaction():
            await batch.execute("set local lock_timeout = '2s'")
            await shelf.lock(batch, [sku])
            redriving = asyncio.create_task(owner.handle([topic.send(nudge)]))
            await until(lambda: waits_for(room.conn, "%from stock_level%for update%"))
            assert await is_held(room.conn, row.id)
            await parked.insert(batch, [behind(row, named(f"{key}/later"))])
        async with asyncio.timeout(20):
            await redriving
    assert await room.result(f"{key}/reserve") == "applied"
    await owner.close()


def behind(row: parked.Parked, id: UUID) -> parked.NewParked:
    """Another message of its key."""
    return parked.NewParked(
        row.processor, row.topic, row.partition, row.key, id, row.kind, parked.BEHIND, "",
        row.headers, row.body, row.parked_at,
    )  # fmt: skip


async def waits_for(conn: AsyncConnection, statement: str) -> bool:
    cursor = await conn.execute(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database() and query like %s",
        (statement,),
    )
    return await cursor.fetchone() != (0,)


async def is_held(conn: AsyncConnection, id: int) -> bool:
    cursor = await conn.execute(
        "select count(*) from (select id from parked where id = %s for update skip locked) free",
        (id,),
    )
    return await cursor.fetchone() == (0,)


async def test_wishes_lock_their_rows_in_one_order(postgres_dsn: str, room: Room):
    first, second = [await room.park(f"o-{uuid4().hex[:8]}") for _ in range(2)]
    async with (
        await connect(postgres_dsn, name="watch") as watch,
        await connect(postgres_dsn, name="other") as other,
    ):
        async with other.transaction():
            await other.execute("select from parked where id = %s for update", (first,))
            wishing = asyncio.create_task(
                parked.wish(
                    room.conn, [second, first], "discard", by="a", because="b", at=this_host()
                )
            )
            await until(lambda: waits_for(watch, "%update parked%"))
            assert not await is_held(watch, second)
        assert {one.id for one in await wishing} == {first, second}
