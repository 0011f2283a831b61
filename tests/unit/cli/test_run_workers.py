"""Several workers of one command: each has a page of metrics of its own."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic, sleep

import httpx
from click.testing import CliRunner

from cli.main import quire
from cli.output import Exit, Failure
from stack.ports import free_in_a_row

NOWHERE = {"QUIRE_POSTGRES_DSN": "postgresql://q:q@127.0.0.1:1/q", "QUIRE_KAFKA": "127.0.0.1:1"}
SECONDS = 30.0


@contextmanager
def workers(*names: str, metrics_port: int) -> Generator[None]:
    """They wait for servers that are not there, and tell of it meanwhile."""
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "run", "worker", *names],
        env={**os.environ, **NOWHERE, "QUIRE_METRICS_PORT": str(metrics_port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(SECONDS)


def page_of(port: int) -> str:
    """Its text, as soon as there is one."""
    end = monotonic() + SECONDS
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
        except httpx.TransportError:
            if monotonic() > end:
                raise
            sleep(0.05)


def test_each_tells_at_the_next_port():
    first = free_in_a_row(2)
    with workers("order", "dead-letters", metrics_port=first):
        assert "process_start_time_seconds" in page_of(first)
        assert "process_start_time_seconds" in page_of(first + 1)


def test_ports_past_the_last_one_are_refused_before_anything_starts():
    env = {**NOWHERE, "QUIRE_METRICS_PORT": "65535"}
    done = CliRunner().invoke(quire, ["run", "worker", "order", "payment"], env=env)
    failure = done.exception
    assert isinstance(failure, Failure)
    assert (failure.code, failure.exit_code) == ("settings_wrong", Exit.NEEDS_A_PERSON)
    assert failure.message == "missing or not usable: QUIRE_METRICS_PORT"
