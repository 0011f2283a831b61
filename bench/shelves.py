"""Sees to it, before a load, that there is enough of each code, and of one too little."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from psycopg import AsyncConnection

from bench import kafka_load, profiles
from bench.plan import CURRENCY
from bench.profiles import Wanted
from bus.message import BENCH, Message
from domain.ids import derive
from domain.inventory.messages import ReceiveStock
from domain.message import Money
from store import catalogue
from store.catalogue import Item
from store.codec import encode

TOPIC = "quire.inventory.commands"
TIMES = 20  # so many loads more find their goods there
TOO_LITTLE = 0.1
LIMIT_SECONDS = 60.0
ITEMS = 1_000


async def fill(conn: AsyncConnection, kafka: str, run: str, wanted: Wanted) -> int:
    """Receive what is missing, and return when it is on the shelf; gives how many receipts."""
    demand = wanted.demand()
    free = await _free(conn, list(demand))
    missing = {
        sku: quantity * TIMES for sku, quantity in demand.items() if free.get(sku, 0) < quantity
    }
    if wanted.short is not None:
        missing[wanted.short] = max(1, int(demand[wanted.short] * TOO_LITTLE))
    await _list(conn, list(demand))
    await kafka_load.send_at_once(kafka, _receipts(missing, run), TOPIC)
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await _there(conn, free, missing):
            await asyncio.sleep(0.1)
    return len(missing)


def _receipts(missing: Mapping[str, int], run: str) -> list[Message]:
    now = datetime.now(UTC)
    made: list[Message] = []
    for sku, quantity in missing.items():
        command = ReceiveStock(sku, quantity, reference=f"bench {run}")
        made.append(
            Message(
                id=derive(int(now.timestamp() * 1000), f"bench|{run}|receive|{sku}"),
                type=command.kind,
                source=BENCH,
                time=now,
                key=command.key,
                subject=command.stream,
                correlation=command.key,
                causation=None,
                data=encode(command),
            )
        )
    return made


async def _list(conn: AsyncConnection, skus: list[str]) -> None:
    """Put them into the catalogue, where the door looks up the price."""
    for begin in range(0, len(skus), ITEMS):
        items = [
            Item(sku, f"Title of {sku}", Money(profiles.price_minor(sku), CURRENCY))
            for sku in skus[begin : begin + ITEMS]
        ]
        await catalogue.put(conn, items)


async def _free(conn: AsyncConnection, skus: list[str]) -> dict[str, int]:
    cursor = await conn.execute(
        "select sku, on_hand - reserved from stock_level where sku = any(%b::text[])", (skus,)
    )
    return dict(await cursor.fetchall())


async def _there(
    conn: AsyncConnection, before: Mapping[str, int], received: Mapping[str, int]
) -> bool:
    now = await _free(conn, list(received))
    return all(now.get(sku, 0) >= before.get(sku, 0) + more for sku, more in received.items())
