"""What the acceptance tests run against; one set of tests for every target.

`--target local` (the default) starts a whole stack by `quire up`; `--target compose` builds and
starts the compose file; `--target URL` takes the API there, and leaves out what cannot be done
from outside. The stack is taken down before the tests of other rooms begin: fifteen idle
processes would slow them down.
"""

from collections.abc import Iterator

import pytest

from tests import engine
from tests.acceptance.compose import NEEDED, Options, new_project
from tests.acceptance.laptop import REFUSING, Laptop, new_stack
from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack


@pytest.fixture(scope="package")
def target(request: pytest.FixtureRequest) -> Iterator[Stack | str]:
    wanted = str(request.config.getoption("target"))
    if wanted == "local":
        with new_stack(**REFUSING) as stack:
            yield stack
    elif wanted == "compose":
        lacking = engine.missing(*NEEDED, compose=True)
        if lacking:
            raise pytest.UsageError(f"--target compose: {lacking}")
        options = Options(scale=request.config.getoption("scale") or ())
        with new_project(options=options) as project:
            yield project
    else:
        yield wanted.rstrip("/")


@pytest.fixture(scope="package")
def stack(target: Stack | str) -> Stack:
    if isinstance(target, str):
        pytest.skip("an address alone: servers, ledger and processes are out of reach")
    return target


@pytest.fixture(scope="package")
def laptop(target: Stack | str) -> Laptop:
    if not isinstance(target, Laptop):
        pytest.skip("about the local stack's own files and supervisor: run it with --target local")
    return target


@pytest.fixture(scope="package")
def shop(target: Stack | str) -> Iterator[Shop]:
    made = Shop(target if isinstance(target, str) else target.url)
    yield made
    made.http.close()
