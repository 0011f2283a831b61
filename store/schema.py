"""Can this code run with the schema of the database?"""

from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString

from store.connect import AsyncConnection, connect
from store.errors import SchemaDiffers, translated


def steps() -> list[str]:
    """The migrations that this code knows, the newest last."""
    found = find_spec("migrations")  # found, not imported: that would load SQLAlchemy
    assert found is not None
    assert found.submodule_search_locations is not None
    [home] = found.submodule_search_locations
    return sorted(file.stem[:4] for file in Path(home, "versions").glob("[0-9]*.py"))


# What code has to know; nothing when the newest step there did not say so.
_NEEDS: LiteralString = (
    "select max(needs) from schema_step"
    " having max(revision) = (select version_num from alembic_version)"
)


async def look(dsn: str) -> str:
    """The database's newest step; raises SchemaDiffers when this code cannot run with it,
    Unavailable when that cannot be told now."""
    with translated():
        async with await connect(dsn, name="quire schema") as conn:
            return await require_usable(conn)


async def require_usable(conn: AsyncConnection) -> str:
    """The database's newest step; raises SchemaDiffers unless we know it, or it asks for no more
    than we know."""
    last = await _value(conn, "alembic_version", "select version_num from alembic_version")
    needs = await _value(conn, "schema_step", _NEEDS)
    return compare(last, needs, steps())


async def _value(conn: AsyncConnection, table: LiteralString, query: LiteralString) -> str | None:
    cursor = await conn.execute("select to_regclass(%s) is not null", [table])
    [there] = await cursor.fetchone() or [False]
    if not there:
        return None
    row = await (await conn.execute(query)).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def compare(last: str | None, needs: str | None, known: list[str]) -> str:
    """Gives `last`, the database's newest step, when code that knows `known` can run with it.

    `needs` is what the database says of all its steps: the newest that code has to know.
    """
    if last is not None and (last == known[-1] or _only_adds(last, needs, known)):
        return last
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


def _only_adds(last: str, needs: str | None, known: list[str]) -> bool:
    """Whether all that came after us leaves what we use as it was."""
    return last > known[-1] and needs is not None and needs <= known[-1]
