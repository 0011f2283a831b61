"""The needs of the orders that are there; beside the writers, so not in the step of the column."""

from migrations import run_sql

revision = "0011"
down_revision = "0010"
needs = "0009"


def upgrade() -> None:
    run_sql("0011_needs_of_old.sql")
