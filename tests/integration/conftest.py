"""What several integration tests begin with."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.message import Money
from store import catalogue
from store.catalogue import Item
from store.connect import AsyncConnection, connect
from tests.integration.parked_world import Room, open_room

MUG = Item("mug", "Mug", Money(500, "EUR"))


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[AsyncConnection]:
    """A connection to the module's database, whose catalogue has a mug for 5 euros."""
    async with await connect(postgres_dsn, name="test") as conn:
        await catalogue.put(conn, [MUG])
        yield conn


@pytest.fixture
async def owner(owner_dsn: str) -> AsyncIterator[AsyncConnection]:
    """The same database as the role that owns its tables."""
    async with await connect(owner_dsn, name="test owner") as conn:
        yield conn


@pytest.fixture
async def room(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(postgres_dsn, tmp_path) as made:
        yield made


@pytest.fixture
def key() -> str:
    return f"o-{uuid4().hex[:8]}"
