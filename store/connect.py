"""Connections to Postgres, each named after the process that holds it."""

import os
from typing import Any

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection]

# A time in any other zone, be it called Etc/UTC, takes psycopg nine times as long to read.
_UTC = "-c timezone=UTC"
# Prepared look-ups must stay index scans, whatever the statistics of a young table say.
_INDEX_ONLY = "-c enable_seqscan=off"
# An owner that is frozen, or cut off, in a transaction gives back what it has locked.
_NEVER_IDLE = "-c idle_in_transaction_session_timeout=60s"
# Who asks over HTTP is told to come again rather than made to wait for a lock.
_IMPATIENT = "-c lock_timeout=10s"


async def connect(dsn: str, *, name: str, index_only: bool = False) -> AsyncConnection:
    """An autocommit connection; `index_only` is for a process with few, fixed statements."""
    more = (_UTC, _INDEX_ONLY, _NEVER_IDLE) if index_only else (_UTC,)
    return await AsyncConnection.connect(dsn, **_arguments(dsn, name, *more))


def pool(dsn: str, *, name: str, size: int) -> AsyncConnectionPool[AsyncConnection]:
    """A pool of such connections, not opened yet."""
    return AsyncConnectionPool(
        dsn, min_size=1, max_size=size, open=False, kwargs=_arguments(dsn, name, _UTC, _IMPATIENT)
    )


def _arguments(dsn: str, name: str, *options: str) -> dict[str, Any]:
    own = conninfo_to_dict(dsn).get("options") or os.environ.get("PGOPTIONS")
    return {
        "autocommit": True,
        "application_name": name,
        "prepare_threshold": 1,
        "options": " ".join((str(own or ""), *options)).strip(),
    }
