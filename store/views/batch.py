"""All views moved by one batch of facts: folded in memory, written in one transaction."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from psycopg import AsyncConnection

from domain.message import Event
from store.feed import Facts, moment
from store.log import Recorded, Stamped
from store.views import orders, progress, revenue, stock
from store.views.document import OrderDocument

VIEWS = (orders.NAME, revenue.NAME, stock.NAME)


class Documents:
    """The documents worked on last, so that a row is rarely read back. Thrown away at any doubt."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[str, OrderDocument] = OrderedDict()

    def __getitem__(self, order_id: str) -> OrderDocument | None:
        return self._known.get(order_id)

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._known

    def keep(self, documents: Iterable[OrderDocument]) -> None:
        for document in documents:
            self._known[document.order_id] = document
            self._known.move_to_end(document.order_id)
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def clear(self) -> None:
        self._known.clear()


class Changes:
    """What a batch of facts does to the views. With all documents in hand it is a pure fold."""

    def __init__(self) -> None:
        self.documents: dict[str, OrderDocument] = {}
        self.stock: dict[str, stock.Row] = {}
        self.revenue: revenue.Rows = {}

    def fold(self, facts: Iterable[tuple[Stamped, Event]], known: Documents | None = None) -> None:
        """Several facts of one row become one change."""
        documents = self.documents
        for recorded, event in facts:
            stock.fold(self.stock, event, recorded)
            order_id = orders.order_of(event)
            if order_id is None:
                continue
            before = documents.get(order_id)
            if before is None and known is not None:
                before = known[order_id]
            revenue.fold(self.revenue, before, event, recorded)
            after = orders.step(before, event, recorded)
            if after is not None:
                documents[order_id] = after

    def fold_documents(self, facts: Facts) -> None:
        """The part of `fold` that makes the documents, from facts of `orders.KINDS` alone.

        A document hears once, at the end, when it was touched last.
        """
        documents = self.documents
        latest: dict[str, tuple[int, int]] = {}
        for stamp, event in facts:
            order_id: str = getattr(event, "order_id", "")
            after = orders.change(documents.get(order_id), event, stamp)
            if after is None:
                continue
            documents[order_id] = after
            occurred = stamp.occurred
            before = latest.get(order_id)
            if before is not None and before[0] > occurred:
                occurred = before[0]
            latest[order_id] = (occurred, stamp.position)
        for order_id, (occurred, position) in latest.items():
            documents[order_id] = orders.touched(documents[order_id], moment(occurred), position)

    def fold_stock(self, facts: Facts) -> None:
        """The part of `fold` that makes the stock rows."""
        for recorded, event in facts:
            stock.fold(self.stock, event, recorded)


async def project(
    conn: AsyncConnection, facts: Sequence[Recorded], at: progress.Progress, known: Documents
) -> progress.Progress:
    """Move all views past `facts`; raises `progress.Moved` when someone else moved one."""
    decoded = [(recorded, recorded.event) for recorded in facts]
    named = {order_id for _, event in decoded if (order_id := orders.order_of(event))}
    async with conn.transaction():
        # Rows and checkpoint go together, so losing the last of them in a crash loses nothing.
        await conn.execute("set local synchronous_commit = off")
        await progress.hold(conn, VIEWS, at)
        missing = [order_id for order_id in named if order_id not in known]
        if missing:
            known.keep((await orders.load(conn, missing)).values())
        changes = Changes()
        changes.fold(decoded, known)
        async with conn.pipeline():
            await orders.write(conn, changes.documents.values())
            await stock.write(conn, changes.stock.values())
            await revenue.write(conn, changes.revenue.values())
            reached = await progress.move(conn, VIEWS, at, facts[-1].position)
    known.keep(changes.documents.values())
    return reached
