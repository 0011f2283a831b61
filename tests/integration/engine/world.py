"""An owner of a partition, fed by hand, and what it left."""

from pathlib import Path
from uuid import uuid4

import psycopg

from domain.message import Line, Money
from domain.order.messages import PlaceOrder
from store import outcomes
from store.log import Recorded, read_streams
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import named, settings


def place(order_id: str, sku: str = "mug", quantity: int = 1) -> PlaceOrder:
    return PlaceOrder(order_id, (Line(1, sku, quantity, Money(500, "GBP")),), "GBP", "tok_approve")


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


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
