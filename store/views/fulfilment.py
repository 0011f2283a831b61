"""The fulfilment of an order, read off its parcels."""

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
_GONE = {"lost", "returned_to_sender"}


def fulfilment(document: OrderDocument) -> str:
    """The one word for all parcels and returns of the order."""
    returned = sum(line.returned for line in document.lines)
    if returned:
        left = sum(line.left for line in document.lines)
        return "returned" if returned >= left else "partially_returned"
    ranks = [RANK[p.status] for p in document.parcels if p.status != "cancelled"]
    statuses = {p.status for p in document.parcels if p.status != "cancelled"}
    if not ranks or max(ranks) == RANK["planned"]:
        return "none"
    if statuses <= _GONE:
        return "lost"
    if statuses <= _GONE | {"delivered"}:
        return "delivered"
    if min(ranks) >= RANK["handed_over"]:
        return "shipped"
    return "partially_shipped" if max(ranks) >= RANK["handed_over"] else "in_fulfilment"


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
