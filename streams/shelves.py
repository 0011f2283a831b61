"""Stock rows within one batch: locked before, decided on in memory, written back after."""

from collections.abc import Iterable
from typing import Any

from domain.decider import Decider
from domain.inventory.state import Shelf, skus_of
from domain.message import Command, Event
from store.shelf import Shelves, StockRow


class Stock:
    """The rows that a batch locked, as they change from message to message."""

    def __init__(self, shelves: Shelves) -> None:
        self._before = shelves
        self._rows = dict(shelves.rows)
        self._waiting = dict(shelves.waiting)

    def decide(
        self, decider: Decider[Any, Any, Any], command: Command, reservation: Any
    ) -> tuple[list[Event], Any]:
        """The new facts and the reservation after them; the rows follow."""
        skus = skus_of(command, reservation)
        shelf = Shelf(
            reservation,
            {sku: self._rows[sku].level for sku in skus},
            {sku: self._waiting.get(sku, ()) for sku in skus},
        )
        events = decider.decide(command, shelf)
        for event in events:
            shelf = decider.evolve(shelf, event)
        if events:
            for sku in skus:
                self._rows[sku] = self._rows[sku]._replace(level=shelf.levels[sku])
                self._waiting[sku] = shelf.waiting.get(sku, ())
        return events, shelf.reservation

    def head(self, stream: str) -> tuple[int, bytes]:
        row = self._rows[_sku(stream)]
        return row.version, row.head

    def move_head(self, stream: str, version: int, head: bytes) -> None:
        sku = _sku(stream)
        self._rows[sku] = self._rows[sku]._replace(version=version, head=head)

    def changed(self) -> tuple[dict[str, StockRow], tuple[Shelves, Shelves]]:
        """The rows to write, and the waiting lists before and after."""
        before = self._before.rows
        rows = {sku: row for sku, row in self._rows.items() if row != before[sku]}
        return rows, (self._before, Shelves(self._rows, self._waiting))


def _sku(stream: str) -> str:
    return stream.removeprefix("stock-")


def skus_to_lock(commands: Iterable[tuple[Command, Any]]) -> set[str]:
    """The rows that deciding these commands, each with its reservation, may read or change."""
    skus: set[str] = set()
    for command, reservation in commands:
        skus |= skus_of(command, reservation)
    return skus
