"""How the lines of an order are spread over parcels."""

from collections.abc import Iterable, Iterator, Mapping

from domain.message import Line, LineQuantity, Parcel
from domain.order.messages import Packing

MOST_UNITS = 20
MOST_PARCELS = 120  # what would need more goes as freight: one consignment a warehouse


def parcels_of(
    order_id: str, lines: Iterable[Line], wanted: Mapping[int, int], packing: Packing = "parcels"
) -> tuple[Parcel, ...]:
    """`wanted` units by line number, a warehouse after the other, at most 20 to a parcel.

    The same for the same lines. Parcels are numbered from 1, warehouses come in the order of their
    first line, and a parcel is filled before the next is begun.
    """
    shelves: dict[str, list[LineQuantity]] = {}
    for line in lines:
        if wanted.get(line.line, 0) > 0:
            shelf = shelves.setdefault(line.warehouse, [])
            shelf.append(LineQuantity(line.line, line.sku, wanted[line.line]))
    if packing == "one":
        return _numbered(order_id, _together(shelves))
    needed = sum(-(-_units(shelf) // MOST_UNITS) for shelf in shelves.values())
    if needed > MOST_PARCELS:
        return _numbered(order_id, [(name, tuple(shelf)) for name, shelf in shelves.items()])
    return _numbered(
        order_id, [(name, part) for name, shelf in shelves.items() for part in _filled(shelf)]
    )


Packed = tuple[str, tuple[LineQuantity, ...]]


def _numbered(order_id: str, packed: Iterable[Packed]) -> tuple[Parcel, ...]:
    return tuple(
        Parcel(f"{order_id}.{number}", lines, warehouse)
        for number, (warehouse, lines) in enumerate(packed, 1)
    )


def _together(shelves: Mapping[str, list[LineQuantity]]) -> list[Packed]:
    """All in one, fetched where its first line lies."""
    every = (one for shelf in shelves.values() for one in shelf)
    lines = tuple(sorted(every, key=lambda one: one.line))
    return [(next(iter(shelves)), lines)] if lines else []


def _units(shelf: Iterable[LineQuantity]) -> int:
    return sum(line.quantity for line in shelf)


def _filled(shelf: Iterable[LineQuantity]) -> Iterator[tuple[LineQuantity, ...]]:
    parcel: list[LineQuantity] = []
    room = MOST_UNITS
    for line in shelf:
        left = line.quantity
        while left:
            taken = min(left, room)
            parcel.append(LineQuantity(line.line, line.sku, taken))
            left, room = left - taken, room - taken
            if not room:
                yield tuple(parcel)
                parcel, room = [], MOST_UNITS
    if parcel:
        yield tuple(parcel)
