"""What a reservation remembers, and the shelf on which it is decided."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from domain.inventory.messages import ReservationCommand, ReserveStock, StockCommand
from domain.message import Command, SkuQuantity


class Level(Struct, frozen=True):
    """How much of a sku there is, and how much of that is promised."""

    on_hand: int = 0
    reserved: int = 0


class Waiting(Struct, frozen=True):
    """An order that waits for `quantity` of a sku; `lines` is just that, as one line.

    All that the order wants stands in its reservation, once.
    """

    order_id: str
    quantity: int
    lines: tuple[SkuQuantity, ...]


class Reservation(Struct, frozen=True):
    """`lines` are what is reserved, or wanted while it waits.

    `committed` are the parcels that left, `released` the references of what was given back.
    """

    status: Literal["none", "waiting", "reserved", "short", "released"] = "none"
    lines: tuple[SkuQuantity, ...] = ()
    committed: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()


class Shelf(Struct, frozen=True):
    """One reservation beside the rows of its skus; `waiting` is oldest first."""

    reservation: Reservation = Reservation()
    levels: Mapping[str, Level] = {}
    waiting: Mapping[str, tuple[Waiting, ...]] = {}


def skus_of(command: Command, reservation: Reservation) -> set[str]:
    """The rows to lock before deciding."""
    match command:
        case ReserveStock(lines=lines):
            skus = {line.sku for line in lines}
            skus.update(line.sku for line in reservation.lines)
            return skus
        case ReservationCommand():
            return {line.sku for line in reservation.lines}
        case StockCommand(sku=sku):
            return {sku}
        case _:
            return set()


def merged(lines: Iterable[SkuQuantity]) -> dict[str, int]:
    """Units by sku."""
    total: dict[str, int] = {}
    for line in lines:
        total[line.sku] = total.get(line.sku, 0) + line.quantity
    return total


def unmerged(quantities: Mapping[str, int]) -> tuple[SkuQuantity, ...]:
    return tuple(SkuQuantity(sku, quantity) for sku, quantity in quantities.items() if quantity > 0)
