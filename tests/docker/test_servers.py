"""The integration tests hold on the official images of Kafka and Postgres."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import engine

ROOT = Path(__file__).parents[2]
SECONDS = 900
PLACES = (
    "test_store_log.py", "test_topics.py", "engine", "test_owner.py", "test_relay.py",
    "test_relay_outage.py", "test_timers.py", "test_views.py",
)  # fmt: skip
"""What speaks to the two servers themselves; what stands before them is the same anywhere."""


def test_the_integration_tests_pass_on_containers():
    lacking = engine.missing(engine.REAPER, engine.POSTGRES, engine.KAFKA)
    if lacking:
        pytest.skip(lacking)
    files = [f"tests/integration/{name}" for name in PLACES]
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
