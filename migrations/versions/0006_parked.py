"""Parked messages that are edited, and what became of those that somebody moved."""

from migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql("0006_parked.sql")
