"""The intake on a real Postgres; what it publishes is kept in a list."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.message import Money
from store import catalogue, log
from store.catalogue import Item
from store.connect import AsyncConnection
from tests.integration.facts import life, record
from tests.integration.intake_world import Intake, serving


@pytest.fixture
async def intake(postgres_dsn: str, tmp_path: Path, conn: AsyncConnection) -> AsyncIterator[Intake]:
    skus = ("pen", "a", "b", "place", "named")
    await catalogue.put(conn, [Item(sku, sku.title(), Money(500, "EUR")) for sku in skus])
    async with serving(postgres_dsn, tmp_path) as made:
        yield made


@pytest.fixture
async def parcel(conn: AsyncConnection) -> str:
    """An order with a parcel that has its label: tracking number T1 and id `shipped.1`."""
    if not await log.read_order(conn, "shipped"):
        await record(conn, life("shipped"))
    return "shipped.1"
