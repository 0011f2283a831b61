"""What an order needs a person for; nothing reads it yet."""

from migrations import run_sql

revision = "0010"
down_revision = "0009"
needs = "0009"


def upgrade() -> None:
    run_sql("0010_needs.sql")
