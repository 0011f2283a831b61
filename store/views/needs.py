"""What an order needs a person of the shop for, as one small number for each row of the view."""

from collections.abc import Mapping

from store.views.document import OrderDocument

NEEDS: Mapping[str, int] = {"label": 1, "message": 2, "money": 4, "return": 8}
"""The bit of each; stored, so a number never changes its meaning.

`label`: the carrier refuses a parcel. `message`: one did not leave, though there is an address.
`money`: a capture or a refund failed and is owed. `return`: one is asked for and wants an answer.
"""

NOBODY_LEFT = "contact_erased"  # why a message did not leave where nobody can do anything about it

ATTENTION = sum(NEEDS.values())


def needs_of(document: OrderDocument) -> int:
    """The bits of all that the order needs somebody for; mostly 0."""
    needs = NEEDS["money"] if document.owed else 0
    for parcel in document.parcels:
        if parcel.status == "refused":
            needs |= NEEDS["label"]
    for note in document.notifications:
        if note.status == "failed" and note.code != NOBODY_LEFT:
            needs |= NEEDS["message"]
    for one in document.returns:
        if one.status == "requested":
            needs |= NEEDS["return"]
    return needs
