"""What all views have in common: a name, a table, and the rows that a whole fold comes to."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection

from store.feed import Facts, feed
from store.views import batch, orders, revenue, stock


class View(NamedTuple):
    """What all views have in common; `rows` gives the rows that a whole fold comes to.

    `fold` and `kinds`: how the view is folded alone, and from facts of which types.
    """

    name: str
    table: LiteralString
    columns: LiteralString
    types: Sequence[str]
    rows: Callable[[batch.Changes], Iterator[tuple[Any, ...]]]
    kinds: Sequence[str]
    fold: Callable[[batch.Changes, Facts], None]


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
        ("text", "text", "text", "timestamptz", "int8", "text", "int2"),
        _orders,
        orders.KINDS,
        batch.Changes.fold_documents,
    ),
    "revenue": View(
        revenue.NAME,
        "revenue_daily",
        revenue.COLUMNS,
        ("date", "text", *_INTEGERS),
        _revenue,
        orders.KINDS,
        batch.Changes.fold,
    ),
    "stock": View(
        stock.NAME,
        "stock_view",
        stock.COLUMNS,
        ("text", "int8", "int8", "int8", "timestamptz"),
        _stock,
        stock.KINDS,
        batch.Changes.fold_stock,
    ),
}


async def fold(
    conn: AsyncConnection,
    changes: batch.Changes,
    after: int,
    until: int,
    view: View | None = None,
) -> int:
    """Fold the facts in (after, until], for one view alone or for all; gives how many they were."""
    if view is None:
        return await feed(conn, changes.fold, after, until)
    return await feed(conn, partial(view.fold, changes), after, until, view.kinds)
