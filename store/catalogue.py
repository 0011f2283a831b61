"""What can be ordered, and for how much."""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

import msgspec
from psycopg import AsyncConnection

from domain.message import MAIN, Money

CHANGED: LiteralString = "quire_catalogue"
"""Notified when items were put, for those who remember prices."""


class Item(NamedTuple):
    """One article, and where it lies; `details` is the JSON text of what only people read."""

    sku: str
    title: str
    price: Money
    details: str = "{}"
    warehouse: str = MAIN


async def put(conn: AsyncConnection, items: Sequence[Item]) -> None:
    """Add the items, or give those that are there their new title, price and warehouse."""
    last = {item.sku: item for item in items}.values()
    await conn.execute(
        "insert into catalogue (sku, title, amount_minor, currency, details, warehouse)"
        " select sku, title, amount, currency, details::json, warehouse"
        " from unnest(%b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[])"
        " as i(sku, title, amount, currency, details, warehouse) order by sku"
        " on conflict (sku) do update set title = excluded.title,"
        " amount_minor = excluded.amount_minor, currency = excluded.currency,"
        " details = excluded.details, warehouse = excluded.warehouse",
        (
            [item.sku for item in last],
            [item.title for item in last],
            [item.price.amount_minor for item in last],
            [item.price.currency for item in last],
            [item.details for item in last],
            [item.warehouse for item in last],
        ),
    )
    await conn.execute(f"notify {CHANGED}")


async def find(conn: AsyncConnection, skus: Sequence[str]) -> dict[str, Item]:
    """The items that exist, by sku."""
    cursor = await conn.execute(
        "select sku, title, amount_minor, currency, details::text, warehouse from catalogue"
        " where sku = any(%b::text[])",
        (list(skus),),
    )
    return {
        row[0]: Item(row[0], row[1], Money(row[2], row[3]), row[4], row[5])
        for row in await cursor.fetchall()
    }


async def page(conn: AsyncConnection, after: str, limit: int) -> bytes:
    """The next items by sku, as one JSON list ready to serve."""
    cursor = await conn.execute(
        "select sku, title, amount_minor, currency, details::text, warehouse from catalogue"
        " where sku > %s order by sku limit %s",
        (after, limit),
    )
    return msgspec.json.encode(
        [
            {
                "sku": row[0],
                "title": row[1],
                "price": {"amount_minor": row[2], "currency": row[3]},
                "warehouse": row[5],
                "details": msgspec.Raw(row[4].encode()),
            }
            for row in await cursor.fetchall()
        ]
    )
