"""A view folded anew beside the one that serves, and put in its place."""

from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection, sql

from store.rawlog import no_garbage
from store.views import batch, progress
from store.views.every import View, fold


class Rebuilt(NamedTuple):
    """What a rebuild did; `events` are the facts that show in the view."""

    position: int
    events: int
    rows: int


async def rebuild(conn: AsyncConnection, view: View) -> Rebuilt:
    """Fold the view into a shadow table while the old one serves, then put it in its place.

    `conn` is of the role that owns the tables. Only the last few facts are folded while the
    projector has to wait.
    """
    changes = batch.Changes()
    seen = (await progress.start(conn, batch.VIEWS)).position
    with no_garbage():
        events = await fold(conn, changes, 0, seen, view)
        async with conn.transaction():
            at = await progress.held(conn, batch.VIEWS)
            events += await fold(conn, changes, seen, at.position, view)
            rows = await _swap(conn, view, changes)
            await progress.renew(conn, view.name)
    return Rebuilt(at.position, events, rows)


async def _swap(conn: AsyncConnection, view: View, changes: batch.Changes) -> int:
    """Fill a table of the same shape, index it, and let it take the name."""
    old = sql.Identifier(view.table)
    new = sql.Identifier(f"{view.table}_new")
    await conn.execute(sql.SQL("drop table if exists {}").format(new))
    await conn.execute(
        sql.SQL("create table {} (like {} including defaults including storage)").format(new, old)
    )
    options = await _one(
        conn, "select array_to_string(reloptions, ', ') from pg_class where oid = %s::regclass",
        view.table,
    )  # fmt: skip
    if options:
        await conn.execute(f"alter table {view.table}_new set ({options})".encode())
    count = 0
    copy = sql.SQL("copy {} ({}) from stdin (format binary)").format(new, sql.SQL(view.columns))
    async with conn.cursor() as cursor, cursor.copy(copy) as writer:
        writer.set_types(list(view.types))
        for row in view.rows(changes):
            await writer.write_row(row)
            count += 1
    await _take_over(conn, view.table, old, new)
    await conn.execute(sql.SQL("analyze {}").format(old))
    return count


async def _take_over(
    conn: AsyncConnection, table: str, old: sql.Identifier, new: sql.Identifier
) -> None:
    """Give the new table the constraints, indexes and rights of the old one under their names."""
    constraints = await _all(
        conn,
        "select conname, pg_get_constraintdef(oid), conindid::regclass::text from pg_constraint"
        " where conrelid = %s::regclass and contype = 'p'",
        table,
    )
    behind = {index for _, _, index in constraints}
    indexes = await _all(
        conn,
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid), '' from pg_index"
        " where indrelid = %s::regclass",
        table,
    )
    grants = await _all(
        conn,
        "select grantee, privilege_type, '' from information_schema.role_table_grants"
        " where table_name = %s and grantee <> grantor",
        table,
    )
    await conn.execute(sql.SQL("drop table {}").format(old))
    await conn.execute(sql.SQL("alter table {} rename to {}").format(new, old))
    for name, definition, _ in constraints:
        await conn.execute(f"alter table {table} add constraint {name} {definition}".encode())
    for name, definition, _ in indexes:
        if name not in behind:
            await conn.execute(definition.encode())
    for grantee, privilege, _ in grants:
        await conn.execute(f'grant {privilege} on {table} to "{grantee}"'.encode())


async def _one(conn: AsyncConnection, query: LiteralString, *values: object) -> Any:
    cursor = await conn.execute(query, values)
    row = await cursor.fetchone()
    return row[0] if row else None


async def _all(
    conn: AsyncConnection, query: LiteralString, *values: object
) -> list[tuple[str, str, str]]:
    cursor = await conn.execute(query, values)
    return await cursor.fetchall()
