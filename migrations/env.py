"""Runs the migrations on one connection, a transaction each, one migrator at a time."""

from time import sleep
from typing import Any

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

LOCK = 7464
LOOK_SECONDS = 0.1


def record(ctx: Any, step: Any, heads: object, run_args: object) -> None:  # noqa: ARG001 (Alembic names them)
    """Write down what the step asks of the code, once there is a table for it."""
    there = ctx.connection.execute(text("select to_regclass('schema_step') is not null"))
    if there.scalar():
        ctx.connection.execute(
            text("insert into schema_step (revision, needs) values (:revision, :needs)"),
            {"revision": step.up_revision_id, "needs": step.up_revision.module.needs},
        )


engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    # Two migrators at once: the second finds nothing to do. It asks again and again: who waits
    # within a statement would hold up an index that the first one builds beside the writers.
    while not connection.execute(text(f"select pg_try_advisory_lock({LOCK})")).scalar():
        connection.commit()
        sleep(LOOK_SECONDS)
    connection.commit()
    context.configure(
        connection=connection, transaction_per_migration=True, on_version_apply=record
    )
    with context.begin_transaction():
        context.run_migrations()
