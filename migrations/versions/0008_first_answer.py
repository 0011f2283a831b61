"""The status of the first answer under an Idempotency-Key."""

from migrations import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("0008_first_answer.sql")
