"""Waiting for a NOTIFY. It is a hint only: whoever waits looks again after `seconds` anyway."""

from typing import LiteralString

from psycopg import AsyncConnection, sql

LOG: LiteralString = "quire_log"
SWEEP: LiteralString = "quire_sweep"
VIEWS: LiteralString = "quire_views"


async def listen(conn: AsyncConnection, *channels: LiteralString) -> None:
    for channel in channels:
        await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))


async def wait(conn: AsyncConnection, seconds: float) -> bool:
    """True when something was notified, False when the time is over."""
    async for _ in conn.notifies(timeout=seconds, stop_after=1):
        return True
    return False
