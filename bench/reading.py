"""What the benchmarks of reading have in common: a log full of facts, and the raw read of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from psycopg import AsyncConnection

from bench.scratch import Scratch, fill, servers
from bench.story import Story
from store import seals
from store.connect import connect


class Full(NamedTuple):
    """The servers, how many facts the log holds, all of them sealed with what key, and a
    superuser's connection."""

    scratch: Scratch
    events: int
    key: Ed25519PublicKey
    admin: AsyncConnection

    async def copy_out(self) -> None:
        """Read the whole table and throw it away, within the server: nothing reads it faster."""
        await self.admin.execute("copy (table event) to '/dev/null' (format binary)")


@asynccontextmanager
async def full_log(count: int) -> AsyncGenerator[Full]:
    """A log of whole lives of orders, on a Postgres of its own."""
    async with servers() as scratch:
        events = await fill(scratch, Story("reading"), count)
        key = await _seal(scratch)
        async with await connect(scratch.admin_dsn, name="quire-bench") as admin:
            yield Full(scratch, events, key, admin)


async def _seal(scratch: Scratch) -> Ed25519PublicKey:
    """Seal all of the log, as the sealer does."""
    key = Ed25519PrivateKey.generate()
    async with await connect(scratch.app_dsn, name="quire-bench-seals") as conn:
        while await seals.seal_next(conn, key, datetime.now(UTC)):
            pass
    return key.public_key()
