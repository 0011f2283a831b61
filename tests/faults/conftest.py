"""A world of its own for each test: a database copied from a migrated one, all topics made anew."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from stack.secrets import Secrets
from tests.faults.world import World
from tests.integration.servers import Running


@pytest.fixture
async def world(
    postgres_server: tuple[Running, int, Secrets],
    kafka: str,
    new_database: Callable[[str], str],
    tmp_path: Path,
) -> AsyncGenerator[World]:
    """Nothing runs in it yet; what a test starts ends with the test."""
    _, port, secrets = postgres_server
    name = new_database("faults")
    dsns = (secrets.app_dsn(port, name), secrets.admin_dsn(port, name))
    async with World.made(*dsns, kafka, tmp_path) as made:
        yield made
