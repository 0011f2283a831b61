"""What the acceptance tests run against: a stack of their own, or one that runs already.

`--target local` (the default) starts a whole stack once by `quire up`; `--target URL` takes the API
there, and leaves out what needs the stack's own files and processes. The stack is taken down before
the tests of other rooms begin: fifteen idle processes would slow them down.
"""

from collections.abc import Iterator

import pytest

from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack, new_stack


@pytest.fixture(scope="package")
def target(request: pytest.FixtureRequest) -> Iterator[Stack | str]:
    wanted = str(request.config.getoption("target"))
    if wanted != "local":
        yield wanted.rstrip("/")
        return
    with new_stack() as stack:
        yield stack


@pytest.fixture(scope="package")
def stack(target: Stack | str) -> Stack:
    if isinstance(target, str):
        pytest.skip("needs the files and processes of the stack: run it with --target local")
    return target


@pytest.fixture(scope="package")
def shop(target: Stack | str) -> Iterator[Shop]:
    made = Shop(target if isinstance(target, str) else target.url)
    yield made
    made.http.close()
