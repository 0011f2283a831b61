"""How the lines of an order are spread over parcels."""

from domain.message import LineQuantity, Parcel


def parcels_of(order_id: str, lines: tuple[LineQuantity, ...]) -> tuple[Parcel, ...]:
    """One parcel with everything; parcels are numbered from 1."""
    return (Parcel(f"{order_id}.1", lines),)
