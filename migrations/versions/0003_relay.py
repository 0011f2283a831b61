"""What relay, sweeper and timers keep, and the parts of outcome."""

from migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("0003_relay.sql")
