"""The fulfilment of an order, read off its parcels."""

from collections.abc import Mapping

from msgspec.structs import replace

from domain.message import LineQuantity
from store.views.document import OrderDocument, ParcelView

# A parcel's status only moves up; what stands on one level may alternate.
RANK = {
    "planned": 0,
    "refused": 0,
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
    returned = sum(line.returned for line in document.lines) if document.returns else 0
    if returned:
        gone = ("lost", "returned")
        kept = [one for one in document.parcels if _word(one) not in gone]
        whole = returned >= sum(line.quantity for one in kept for line in one.lines)
        return "returned" if whole else "partially_returned"
    ranks = {_word(parcel) for parcel in document.parcels if parcel.lines}
    if not ranks:
        return "none"
    if len(ranks) > 1 and "planned" in ranks:
        return "partially_shipped"
    if "planned" in ranks:
        return "none" if document.status in _ENDING else "in_fulfilment"
    return next(word for word in ("shipped", "delivered", "lost", "returned") if word in ranks)


_ENDING = {"cancelling", "cancelled", "expired"}

# How far a parcel is, in the words of the whole order; all others are shipped.
_WORD = {
    "planned": "planned",
    "refused": "planned",
    "preparing": "planned",
    "delivered": "delivered",
    "lost": "lost",
    "returned_to_sender": "returned",
}


def _word(parcel: ParcelView) -> str:
    return _WORD.get(parcel.status, "shipped")


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
    changed = replace(document, parcels=tuple(parcels.values()))
    return with_fulfilment(changed)
