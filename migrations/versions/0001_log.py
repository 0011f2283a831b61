"""The log, and all that is written in one transaction with it."""

from migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql("0001_log.sql")
