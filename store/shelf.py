"""Stock rows: shared by all inventory partitions, so always read under their lock."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from domain.inventory.state import Level, Waiting
from domain.message import SkuQuantity


class StockRow(NamedTuple):
    """A sku's level, with the version and the last hash of its stream `stock-<sku>`."""

    level: Level
    version: int
    head: bytes


class Shelves(NamedTuple):
    """The rows of some skus, all locked until the transaction ends."""

    rows: dict[str, StockRow]
    waiting: dict[str, tuple[Waiting, ...]]


_lines = msgspec.json.Decoder(tuple[SkuQuantity, ...])

_ENSURE = (
    "insert into stock_level (sku) select s from unnest(%b::text[]) as s order by s"
    " on conflict do nothing"
)
_LOCK = (
    "select sku, on_hand, reserved, version, head from stock_level"
    " where sku = any(%b::text[]) order by sku for update"
)
_PEEK = _LOCK.removesuffix(" for update")
_WAITING = (
    "select sku, order_id, quantity, lines::text from waiting"
    " where sku = any(%b::text[]) order by sku, place"
)
_WRITE = (
    "update stock_level s set on_hand = n.on_hand, reserved = n.reserved, version = n.version,"
    " head = n.head from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::int[], %b::bytea[])"
    " as n(sku, on_hand, reserved, version, head) where s.sku = n.sku"
)
_QUEUE = (
    "insert into waiting (sku, order_id, quantity, lines)"
    " select sku, order_id, quantity, lines::json from unnest("
    "%b::text[], %b::text[], %b::bigint[], %b::text[]) with ordinality"
    " as n(sku, order_id, quantity, lines, n) order by n.n"
)
_LEAVE = (
    "delete from waiting w using unnest(%b::text[], %b::text[]) as n(sku, order_id)"
    " where w.sku = n.sku and w.order_id = n.order_id"
)


async def lock(conn: AsyncConnection, skus: Sequence[str]) -> Shelves:
    """Locks the rows of `skus`, in the one order that avoids deadlocks; makes missing ones.

    Needs an open transaction. The rows stay locked until it ends.
    """
    wanted = sorted(skus)
    rows: dict[str, StockRow] = {}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_LOCK, (wanted,))
        found = await cursor.fetchall()
        if len(found) < len(wanted):
            await cursor.execute(_ENSURE, (wanted,))
            await cursor.execute(_LOCK, (wanted,))
            found = await cursor.fetchall()
        for sku, on_hand, reserved, version, head in found:
            rows[sku] = StockRow(Level(on_hand, reserved), version, head)
        return Shelves(rows, await _queues(cursor, wanted))


async def peek(conn: AsyncConnection, skus: Sequence[str]) -> Shelves:
    """The rows as they are now, for who only wants to know. A sku without a row is empty."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_PEEK, (list(skus),))
        rows = dict.fromkeys(skus, StockRow(Level(), 0, b""))
        for sku, on_hand, reserved, version, head in await cursor.fetchall():
            rows[sku] = StockRow(Level(on_hand, reserved), version, head)
        return Shelves(rows, await _queues(cursor, skus))


async def _queues(
    cursor: AsyncCursor[TupleRow], skus: Sequence[str]
) -> dict[str, tuple[Waiting, ...]]:
    await cursor.execute(_WAITING, (list(skus),))
    queues: dict[str, list[Waiting]] = {}
    for sku, order_id, quantity, lines in await cursor.fetchall():
        one = Waiting(order_id, quantity, _lines.decode(lines))
        queues.setdefault(sku, []).append(one)
    return {sku: tuple(queue) for sku, queue in queues.items()}


async def write(
    conn: AsyncConnection, rows: Mapping[str, StockRow], before: Shelves, after: Shelves
) -> None:
    """Writes the changed `rows`, and the difference between two waiting lists."""
    if rows:
        skus = list(rows)
        levels = [rows[sku].level for sku in skus]
        await conn.execute(
            _WRITE,
            (
                skus,
                [level.on_hand for level in levels],
                [level.reserved for level in levels],
                [rows[sku].version for sku in skus],
                [rows[sku].head for sku in skus],
            ),
        )
    joined: list[tuple[str, Waiting]] = []
    left: list[tuple[str, str]] = []
    for sku in before.waiting.keys() | after.waiting.keys():
        was = {one.order_id: one for one in before.waiting.get(sku, ())}
        now = {one.order_id: one for one in after.waiting.get(sku, ())}
        joined += [(sku, one) for order_id, one in now.items() if order_id not in was]
        left += [(sku, order_id) for order_id in was if order_id not in now]
    if left:
        await conn.execute(_LEAVE, ([sku for sku, _ in left], [order for _, order in left]))
    if joined:
        await conn.execute(
            _QUEUE,
            (
                [sku for sku, _ in joined],
                [one.order_id for _, one in joined],
                [one.quantity for _, one in joined],
                [msgspec.json.encode(one.lines).decode() for _, one in joined],
            ),
        )
