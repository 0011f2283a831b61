"""Runs the migrations on one connection, in one transaction, one migrator at a time."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    # Two migrators at once: the second waits here and then finds nothing to do.
    connection.execute(text("select pg_advisory_lock(7464)"))
    connection.commit()
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
