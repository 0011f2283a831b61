"""Parcels by their tracking number, cut short so that any fits the index."""

from migrations import build_index

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    build_index(
        "event_tracking",
        "event (left(data ->> 'tracking', 200)) where type = 'quire.shipping.created.v1'",
    )
