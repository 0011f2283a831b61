"""Wishes by time, without the goods receipts: those are kept for good (store/forgetting.py)."""

from migrations import build_index

revision = "0013"
down_revision = "0012"
needs = "0009"


def upgrade() -> None:
    build_index(
        "idempotency_forgotten",
        "idempotency (created_at)"
        r" where (topic <> 'quire.inventory.commands' or caller !~ '^(event|record)(\.\d+)?:')",
    )
