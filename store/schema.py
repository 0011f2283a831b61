"""Is the database's schema the one that this code was written for?"""

from importlib.util import find_spec
from pathlib import Path

from store.connect import AsyncConnection, connect
from store.errors import SchemaDiffers, translated


def steps() -> list[str]:
    """The migrations that this code knows, the newest last."""
    found = find_spec("migrations")  # found, not imported: that would load SQLAlchemy
    assert found is not None
    assert found.submodule_search_locations is not None
    [home] = found.submodule_search_locations
    return sorted(file.stem[:4] for file in Path(home, "versions").glob("[0-9]*.py"))


async def look(dsn: str) -> None:
    """Raises SchemaDiffers when it is not, Unavailable when that cannot be told now."""
    with translated():
        async with await connect(dsn, name="quire schema") as conn:
            await require_known(conn)


async def require_known(conn: AsyncConnection) -> None:
    """Raises SchemaDiffers unless the newest migration that we know is the last one there."""
    cursor = await conn.execute("select to_regclass('alembic_version') is not null")
    [there] = await cursor.fetchone() or [False]
    last = None
    if there:
        row = await (await conn.execute("select version_num from alembic_version")).fetchone()
        last = None if row is None else str(row[0])
    compare(last, steps())


def compare(last: str | None, known: list[str]) -> None:
    """Raises SchemaDiffers unless `last`, the database's, is the newest of those `known`."""
    if last == known[-1]:
        return
    if last is None or last in known:
        raise SchemaDiffers(
            "schema_older",
            f"the database's schema ({last or 'none'}) is older than this code ({known[-1]})",
            "bring it up to date with `quire migrate`",
        )
    raise SchemaDiffers(
        "schema_newer",
        f"the database's schema ({last}) is newer than this code ({known[-1]})",
        "install the Quire that migrated it, or a later one; nothing was changed",
    )
