"""A connection to look at what an owner of a partition left on a real Postgres (PROTOCOL 1-7)."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from store.connect import connect


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await connect(postgres_dsn, name="test") as conn:
        yield conn
