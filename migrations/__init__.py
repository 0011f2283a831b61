"""Alembic migrations in plain SQL: one step a file, expand before contract."""

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


def _url(dsn: str) -> URL:
    return make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", dsn))
