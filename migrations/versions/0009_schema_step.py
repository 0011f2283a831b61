"""What each step asks of the code that runs with it."""

from migrations import run_sql

revision = "0009"
down_revision = "0008"
needs = "0009"


def upgrade() -> None:
    run_sql("0009_schema_step.sql")
