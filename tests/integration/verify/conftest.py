"""A log of its own for each test."""

import pytest

from tests.integration.verify.world import Log


@pytest.fixture
def log(postgres_dsn: str, admin_dsn: str) -> Log:
    return Log(postgres_dsn, admin_dsn)
