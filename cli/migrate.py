"""`quire migrate`: bring the database to the newest schema."""

import click

from cli.output import Exit, Failure, say


@click.command()
@click.option("--dsn", envvar="QUIRE_POSTGRES_OWNER_DSN", help="The owner's connection string.")
def migrate(dsn: str | None) -> None:
    """Bring the database to the newest schema. Safe to run again, and side by side."""
    from sqlalchemy.exc import OperationalError

    from migrations import upgrade

    if not dsn:
        raise Failure(
            "dsn_missing",
            "no database was named",
            hint="Set QUIRE_POSTGRES_OWNER_DSN, or give --dsn.",
            exit_code=Exit.USAGE,
        )
    try:
        upgrade(dsn)
    except OperationalError as error:
        raise Failure(
            "postgres_not_reachable",
            str(error.orig).strip(),
            hint="Is Postgres running, and is the connection string right?",
            exit_code=Exit.NOT_REACHABLE,
        ) from error
    say("the schema is up to date")
