"""`quire migrate`: bring the database to the newest schema."""

import click

from cli.output import Exit, Failure, say


@click.command()
@click.option(
    "--dsn",
    envvar="QUIRE_POSTGRES_OWNER_DSN",
    help="The owner's connection string; else QUIRE_POSTGRES_OWNER_DSN.",
)
def migrate(dsn: str | None) -> None:
    """Bring the database to the newest schema. Safe to run again, and side by side."""
    import asyncio

    from cli.troubles import require_usable_servers
    from migrations import upgrade
    from store.errors import SchemaDiffers
    from store.schema import look, steps

    if not dsn:
        raise Failure(
            "dsn_missing",
            "no database was named",
            hint="Set QUIRE_POSTGRES_OWNER_DSN, or give --dsn.",
            exit_code=Exit.USAGE,
        )
    require_usable_servers()
    try:
        last = asyncio.run(look(dsn))
    except SchemaDiffers as differs:
        if differs.code == "schema_newer":
            raise
        upgrade(dsn)
        last = steps()[-1]
    if last > steps()[-1]:
        say(f"the schema ({last}) is newer than this code ({steps()[-1]}), which can run with it")
    else:
        say(f"the schema is up to date ({last})")
