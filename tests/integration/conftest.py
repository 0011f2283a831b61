"""What several integration tests begin with."""

from collections.abc import AsyncIterator

import pytest

from domain.message import Money
from store import catalogue
from store.catalogue import Item
from store.connect import AsyncConnection, connect

MUG = Item("mug", "Mug", Money(500, "EUR"))


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[AsyncConnection]:
    """A connection to the module's database, whose catalogue has a mug for 5 euros."""
    async with await connect(postgres_dsn, name="test") as conn:
        await catalogue.put(conn, [MUG])
        yield conn
