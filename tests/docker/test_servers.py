"""The integration tests hold on the official images of Kafka and Postgres."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import engine

ROOT = Path(__file__).parents[2]
SECONDS = 900
MODULES = (
    "test_store_log", "test_topics", "test_engine", "test_owner", "test_relay",
    "test_relay_outage", "test_timers", "test_views",
)  # fmt: skip
"""What speaks to the two servers themselves; what stands before them is the same anywhere."""


def test_the_integration_tests_pass_on_containers():
    lacking = engine.missing(engine.REAPER, engine.POSTGRES, engine.KAFKA)
    if lacking:
        pytest.skip(lacking)
    files = [f"tests/integration/{name}.py" for name in MODULES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--servers", "containers", *files],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
    )
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0, done.stdout[-5000:]
    assert "passed" in last
    assert "skipped" not in last
