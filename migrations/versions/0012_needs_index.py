"""Orders that need somebody, newest first; they are few, so the index is small."""

from migrations import build_index

revision = "0012"
down_revision = "0011"
needs = "0009"


def upgrade() -> None:
    build_index("order_view_needs", "order_view (placed_at, order_id) where needs <> 0")
