"""The API on a real Postgres; what it publishes is kept in a list."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.settings import Settings
from tests.integration.api.world import ITEMS, Kept


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def settings(postgres_dsn: str, tmp_path: Path) -> Settings:
    return Settings(
        postgres_dsn=postgres_dsn,  # pyright: ignore[reportArgumentType] pydantic wraps it
        kafka="127.0.0.1:1",
        state_dir=tmp_path,
    )


@pytest.fixture
async def client(settings: Settings, kept: Kept) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, kept)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            await client.put("/catalogue", json={"items": ITEMS})
            yield client
