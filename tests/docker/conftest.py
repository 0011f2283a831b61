"""The containers of these tests; where there can be none, each is skipped and says why."""

from collections.abc import Iterator

import pytest

from tests import engine
from tests.acceptance.compose import NEEDED, Compose, new_project
from tests.acceptance.shop import Shop


@pytest.fixture(scope="package")
def _compose() -> None:
    lacking = engine.missing(*NEEDED, compose=True)
    if lacking:
        pytest.skip(lacking)


@pytest.fixture(scope="module")
def project(_compose: None) -> Iterator[Compose]:
    """The compose file as it is, built and started once for all tests of a file."""
    with new_project() as made:
        yield made


@pytest.fixture(scope="module")
def shop(project: Compose) -> Iterator[Shop]:
    made = Shop(project.url)
    yield made
    made.http.close()
