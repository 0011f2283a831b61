"""Redrives and edits that failed again, in the history of parked messages."""

from migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("0007_failed_again.sql")
