"""What all views have in common: a name, a table, and the rows that a whole fold comes to."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection

from store import log
from store.views import batch, orders, revenue, stock

_PAGE = 5_000


class View(NamedTuple):
    """What all views have in common; `rows` gives the rows that a whole fold comes to."""

    name: str
    table: LiteralString
    columns: LiteralString
    types: Sequence[str]
    rows: Callable[[batch.Changes], Iterator[tuple[Any, ...]]]


def _orders(changes: batch.Changes) -> Iterator[tuple[Any, ...]]:
    return map(orders.row, changes.documents.values())


def _stock(changes: batch.Changes) -> Iterator[tuple[Any, ...]]:
    return iter(changes.stock.values())


def _revenue(changes: batch.Changes) -> Iterator[tuple[Any, ...]]:
    return iter(changes.revenue.values())


_INTEGERS = ("int8",) * 10
VIEWS: dict[str, View] = {
    "orders": View(
        orders.NAME,
        "order_view",
        orders.COLUMNS,
        ("text", "text", "text", "timestamptz", "int8", "text"),
        _orders,
    ),
    "revenue": View(
        revenue.NAME, "revenue_daily", revenue.COLUMNS, ("date", "text", *_INTEGERS), _revenue
    ),
    "stock": View(
        stock.NAME,
        "stock_view",
        stock.COLUMNS,
        ("text", "int8", "int8", "int8", "timestamptz"),
        _stock,
    ),
}


async def fold(
    conn: AsyncConnection, changes: batch.Changes, after: int, until: int
) -> tuple[int, int]:
    """Fold the facts in (after, until]; gives the position reached and how many they were."""
    count = 0
    while after < until:
        facts = [fact for fact in await log.tail(conn, after, _PAGE) if fact.position <= until]
        if not facts:
            break
        changes.fold((fact, fact.event) for fact in facts)
        count += len(facts)
        after = facts[-1].position
    return until, count
