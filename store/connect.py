"""Connections to Postgres, each named after the process that holds it."""

from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection]

# Prepared look-ups must stay index scans, whatever the statistics of a young table say.
_OPTIONS = "-c enable_seqscan=off"


async def connect(dsn: str, *, name: str, index_only: bool = False) -> AsyncConnection:
    """An autocommit connection; `index_only` is for a process with few, fixed statements."""
    arguments: dict[str, Any] = {"options": _OPTIONS} if index_only else {}
    return await AsyncConnection.connect(
        dsn, autocommit=True, application_name=name, prepare_threshold=1, **arguments
    )


def pool(dsn: str, *, name: str, size: int) -> AsyncConnectionPool[AsyncConnection]:
    """A pool of such connections, not opened yet."""
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        open=False,
        kwargs={"autocommit": True, "application_name": name, "prepare_threshold": 1},
    )
