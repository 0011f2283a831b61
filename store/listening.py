"""Waiting to be woken. A notification is a hint: who waits looks again after a while anyway."""

from psycopg import AsyncConnection, sql


async def listen(conn: AsyncConnection, *channels: str) -> None:
    """Be woken from now on by notifications on these channels."""
    for channel in channels:
        await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))


async def woken(conn: AsyncConnection, seconds: float) -> bool:
    """Wait for a notification, at most this long; says whether there was one."""
    heard = False
    async for _ in conn.notifies(timeout=seconds, stop_after=1):
        heard = True
    return heard
