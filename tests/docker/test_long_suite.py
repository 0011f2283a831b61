"""The acceptance tests, all of them, on each kind of stack that the compose files make."""

import os
import subprocess
import sys

import pytest

from tests.acceptance.compose import ROOT
from tests.docker.test_long_secure import SECURE

pytestmark = pytest.mark.long

SECONDS = 1800
PLAIN, SCALED = ("docker-compose.yml",), ("--scale", "worker-order=3")


@pytest.mark.usefixtures("_compose")
@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param(PLAIN, (), id="as it is"),
        pytest.param(PLAIN, SCALED, id="three of one agent"),
        pytest.param(SECURE, (), id="with TLS, users and rights"),
    ],
)
def test_the_acceptance_tests_pass(files: tuple[str, ...], words: tuple[str, ...]):
    suite = ("-m", "pytest", "-q", "tests/acceptance", "--target", "compose", *words)
    done = subprocess.run(
        [sys.executable, *suite],
        check=False, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT,
        env={**os.environ, "COMPOSE_FILE": ":".join(files)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-10_000:]
