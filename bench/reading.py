"""What the benchmarks of reading have in common: a log full of facts, and the raw read of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from psycopg import AsyncConnection

from bench.scratch import Scratch, fill, servers
from bench.story import Story
from store.connect import connect


class Full(NamedTuple):
    """The servers, how many facts the log holds, and a superuser's connection."""

    scratch: Scratch
    events: int
    admin: AsyncConnection

    async def copy_out(self) -> None:
        """Read the whole table and throw it away, within the server: nothing reads it faster."""
        await self.admin.execute("copy (table event) to '/dev/null' (format binary)")


@asynccontextmanager
async def full_log(count: int) -> AsyncGenerator[Full]:
    """A log of whole lives of orders, on a Postgres of its own."""
    async with servers() as scratch:
        events = await fill(scratch, Story("reading"), count)
        async with await connect(scratch.admin_dsn, name="quire-bench") as admin:
            yield Full(scratch, events, admin)
