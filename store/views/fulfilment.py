"""The fulfilment of an order, read off its parcels."""

from collections.abc import Mapping

from msgspec.structs import replace

from domain.message import LineQuantity
from store.views.document import OrderDocument, ParcelView

# A parcel's status only moves up; what stands on one level may alternate.
RANK = {
    "planned": 0,
    "preparing": 1,
    "handed_over": 2,
    "in_transit": 3,
    "attempt_failed": 3,
    "delivered": 4,
    "lost": 4,
    "returned_to_sender": 4,
    "cancelled": 5,
}


def fulfilment(document: OrderDocument) -> str:
    """The one word for all parcels and returns of the order."""
    ranks = {_rank(parcel) for parcel in document.parcels if parcel.lines}
    returned = sum(line.returned for line in document.lines)
    if returned:
        gone = ("lost", "returned")
        kept = [one for one in document.parcels if _rank(one) not in gone]
        whole = returned >= sum(line.quantity for one in kept for line in one.lines)
        return "returned" if whole else "partially_returned"
    if not ranks:
        return "none"
    if ranks == {"planned"}:
        return "none" if document.status in _ENDING else "in_fulfilment"
    if "planned" in ranks:
        return "partially_shipped"
    return next(word for word in ("shipped", "delivered", "lost", "returned") if word in ranks)


_ENDING = {"cancelling", "cancelled", "expired"}


def _rank(parcel: ParcelView) -> str:
    """How far a parcel is, in the words of the whole order."""
    match parcel.status:
        case "planned" | "preparing":
            return "planned"
        case "delivered" | "lost":
            return parcel.status
        case "returned_to_sender":
            return "returned"
        case _:
            return "shipped"


def out_of(parcel: ParcelView, units: Mapping[int, int]) -> ParcelView:
    """The parcel without so many units of each line; an empty one is cancelled."""
    left = (replace(one, quantity=one.quantity - units.get(one.line, 0)) for one in parcel.lines)
    lines = tuple(one for one in left if one.quantity > 0)
    return replace(parcel, lines=lines, status=parcel.status if lines else "cancelled")


def with_fulfilment(document: OrderDocument) -> OrderDocument:
    """The document with its fulfilment read off again."""
    now = fulfilment(document)
    return document if now == document.fulfilment else replace(document, fulfilment=now)


def mark_parcel(
    document: OrderDocument,
    parcel_id: str,
    status: str,
    *,
    lines: tuple[LineQuantity, ...] = (),
    **changes: object,
) -> OrderDocument:
    """The document with one parcel changed, or added with `lines`; its status never goes back."""
    parcels = {parcel.parcel_id: parcel for parcel in document.parcels}
    parcel = parcels.get(parcel_id) or ParcelView(parcel_id, "planned", lines)
    if RANK[status] >= RANK[parcel.status]:
        changes["status"] = status
    parcels[parcel_id] = replace(parcel, **changes)
    return with_fulfilment(replace(document, parcels=tuple(parcels.values())))
