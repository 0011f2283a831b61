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
        kept = [one for one in document.parcels if _WORD[one.status] not in gone]
        whole = returned >= sum(line.quantity for one in kept for line in one.lines)
        return "returned" if whole else "partially_returned"
    words: set[str] = set()
    for parcel in document.parcels:
        if parcel.lines:
            words.add(_WORD[parcel.status])
    if not words:
        return "none"
    if "planned" not in words:
        return min(words, key=_LAST_TO_FIRST) if len(words) > 1 else words.pop()
    if len(words) > 1:
        return "partially_shipped"
    return "none" if document.status in _ENDING else "in_fulfilment"


_ENDING = {"cancelling", "cancelled", "expired"}
_LAST_TO_FIRST = ("shipped", "delivered", "lost", "returned").index

# How far a parcel is, in the words of the whole order.
_WORD = {
    "planned": "planned",
    "refused": "planned",
    "preparing": "planned",
    "handed_over": "shipped",
    "in_transit": "shipped",
    "attempt_failed": "shipped",
    "delivered": "delivered",
    "lost": "lost",
    "returned_to_sender": "returned",
    "cancelled": "shipped",
}


def out_of(parcel: ParcelView, units: Mapping[int, int]) -> ParcelView:
    """The parcel without so many units of each line; an empty one is cancelled."""
    left = (replace(one, quantity=one.quantity - units.get(one.line, 0)) for one in parcel.lines)
    lines = tuple(one for one in left if one.quantity > 0)
    return replace(parcel, lines=lines, status=parcel.status if lines else "cancelled")


def with_fulfilment(document: OrderDocument) -> OrderDocument:
    """The document with its fulfilment read off again."""
    now = fulfilment(document)
    return document if now == document.fulfilment else replace(document, fulfilment=now)


def index_of(document: OrderDocument, parcel_id: str) -> int:
    """Where the parcel stands among those of the order; behind them all when it is new."""
    for at, parcel in enumerate(document.parcels):
        if parcel.parcel_id == parcel_id:
            return at
    return len(document.parcels)


def mark_parcel(
    document: OrderDocument,
    parcel_id: str,
    status: str,
    *,
    lines: tuple[LineQuantity, ...] = (),
    **changes: object,
) -> OrderDocument:
    """The document with one parcel changed, or added with `lines`; its status never goes back."""
    parcels, at = document.parcels, index_of(document, parcel_id)
    new = at == len(parcels)
    parcel = ParcelView(parcel_id, "planned", lines) if new else parcels[at]
    if RANK[status] >= RANK[parcel.status]:
        changes["status"] = status
    changed = parcels[:at] + (replace(parcel, **changes),) + parcels[at + 1 :]  # noqa: RUF005 faster
    return with_fulfilment(replace(document, parcels=changed))
