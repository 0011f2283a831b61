"""Alembic migrations in plain SQL: one step a file, expand before contract.

From 0009 on each step says what it `needs`: the newest step that code has to know to run with it.
A step that only expands repeats what the one before it says; one that takes something away names
the step whose code was the first to do without. See docs/adr/0020-schema-newer-than-the-code.md.
"""

import os
import re
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from sqlalchemy.engine import URL, make_url

HERE = Path(__file__).parent


def config(dsn: str | None = None) -> Config:
    """The Alembic configuration; without `dsn` it takes QUIRE_POSTGRES_OWNER_DSN."""
    made = Config()
    made.set_main_option("script_location", str(HERE))
    owner = dsn or os.environ["QUIRE_POSTGRES_OWNER_DSN"]
    made.attributes["url"] = _url(owner)
    return made


def upgrade(dsn: str | None = None) -> None:
    """Brings the database to the newest schema; does nothing where it is there already."""
    command.upgrade(config(dsn), "head")


def run_sql(script: str) -> None:
    """Runs a .sql file that lies beside the step, as one statement batch."""
    path = HERE / "versions" / script
    op.get_bind().connection.cursor().execute(path.read_text())


def build_index(name: str, definition: str) -> None:
    """Builds an index while others write: a step of its own, for it cannot be in a transaction.

    What an earlier try left unfinished is built anew.
    """
    with op.get_context().autocommit_block():
        unfinished = op.get_bind().exec_driver_sql(
            "select not indisvalid from pg_index where indexrelid = to_regclass(%(name)s)",
            {"name": name},
        )
        if unfinished.scalar():
            op.execute(f"drop index concurrently {name}")
        op.execute(f"create index concurrently if not exists {name} on {definition}")


def _url(dsn: str) -> URL:
    return make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", dsn))
