"""The view of stock: what is on the shelf of each sku and how much of it is promised."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg import AsyncConnection

from domain.inventory import messages as inventory
from domain.message import MAIN, Event, SkuQuantity
from store.log import Stamped

NAME = "view/stock"
TABLE = "stock_view"


class Row(NamedTuple):
    """A row of the table, in the order of its columns; also the change to one."""

    sku: str
    on_hand: int
    reserved: int
    position: int
    updated_at: datetime


Change = tuple[str, int, int]  # sku, more on hand, more reserved


def _lines(lines: Iterable[SkuQuantity], on_hand: int, reserved: int) -> Iterator[Change]:
    for line in lines:
        yield line.sku, on_hand * line.quantity, reserved * line.quantity


def _received(
    event: inventory.StockReceived | inventory.StockRestocked,
) -> Iterator[Change]:
    yield event.sku, event.quantity, 0


def _adjusted(event: inventory.StockAdjusted) -> Iterator[Change]:
    yield event.sku, event.delta, 0


_CHANGES: Mapping[type[Event], Callable[[Any], Iterable[Change]]] = {
    inventory.StockReceived: _received,
    inventory.StockRestocked: _received,
    inventory.StockAdjusted: _adjusted,
    inventory.StockReserved: lambda event: _lines(event.lines, 0, 1),
    inventory.ReservationCommitted: lambda event: _lines(event.lines, -1, -1),
    inventory.ReservationReleased: lambda event: _lines(event.lines, 0, -1),
}


KINDS = [kind.type for kind in _CHANGES]


def fold(rows: dict[str, Row], event: Event, recorded: Stamped) -> None:
    """Add what the fact changes to `rows`, be they whole rows or changes since a checkpoint."""
    changes = _CHANGES.get(type(event))
    if changes is None:
        return
    for sku, on_hand, reserved in changes(event):
        row = rows.get(sku)
        rows[sku] = Row(
            sku,
            on_hand + (row.on_hand if row else 0),
            reserved + (row.reserved if row else 0),
            recorded.position,
            recorded.recorded_at,
        )


COLUMNS: LiteralString = "sku, on_hand, reserved, position, updated_at"
_ADD: LiteralString = (
    "insert into stock_view (sku, on_hand, reserved, position, updated_at)"
    " select * from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[],"
    " %b::timestamptz[]) on conflict (sku) do update set"
    " on_hand = stock_view.on_hand + excluded.on_hand,"
    " reserved = stock_view.reserved + excluded.reserved,"
    " position = excluded.position, updated_at = excluded.updated_at"
)


async def write(conn: AsyncConnection, changes: Iterable[Row]) -> None:
    """Add the changes to the rows."""
    rows = sorted(changes)
    if rows:
        await conn.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


_READ: LiteralString = (
    f"select v.sku, coalesce(c.title, ''), coalesce(c.warehouse, '{MAIN}'), v.on_hand, v.reserved,"
    " v.updated_at from stock_view v left join catalogue c on c.sku = v.sku"
)


class Level(msgspec.Struct, frozen=True):
    """A row as it is served; title and warehouse are the catalogue's."""

    sku: str
    title: str
    warehouse: str
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime


def _level(row: tuple[str, str, str, int, int, datetime]) -> Level:
    sku, title, warehouse, on_hand, reserved, updated_at = row
    return Level(sku, title, warehouse, on_hand, reserved, on_hand - reserved, updated_at)


async def read(conn: AsyncConnection, sku: str) -> Level | None:
    cursor = await conn.execute(f"{_READ} where v.sku = %s", (sku,))
    row = await cursor.fetchone()
    return _level(row) if row else None


async def existing(conn: AsyncConnection, skus: Sequence[str]) -> set[str]:
    """Those that have a row: they were on the shelf once."""
    cursor = await conn.execute(
        "select sku from stock_view where sku = any(%b::text[])", (list(skus),)
    )
    return {row[0] for row in await cursor.fetchall()}


async def page(conn: AsyncConnection, after: str, limit: int) -> list[Level]:
    """The next skus in their order."""
    cursor = await conn.execute(f"{_READ} where v.sku > %s order by v.sku limit %s", (after, limit))
    return [_level(row) for row in await cursor.fetchall()]
