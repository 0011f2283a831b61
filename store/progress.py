"""How far each reader of the log is behind it."""

from typing import NamedTuple

from psycopg import AsyncConnection


class Behind(NamedTuple):
    """What a reader has not read yet: how many facts, and how long the first has waited."""

    records: int
    seconds: float


async def behind(conn: AsyncConnection) -> dict[str, Behind]:
    """Give every checkpoint's distance to the end of the log, by its name."""
    cursor = await conn.execute(
        "select c.name, u.records, coalesce(extract(epoch from now() - u.since), 0)::float8"
        " from checkpoint c cross join lateral"
        " (select count(*) as records, min(recorded_at) as since"
        " from event where position > c.position) u"
        " order by c.name"
    )
    return {row[0]: Behind(row[1], max(0.0, row[2])) for row in await cursor.fetchall()}


async def has_stock(conn: AsyncConnection) -> bool:
    """Tell whether anything was ever received."""
    cursor = await conn.execute("select exists (select from stock_level)")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
