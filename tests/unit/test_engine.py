"""What the tests of containers ask of an engine before they begin, on a `docker` of our own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import engine
from tests.acceptance.compose import new_project

DOCKER = """#!/bin/bash
echo "$*" >>"$TOLD"
case "$*" in
"compose version"*) [ -n "$COMPOSE" ] || { echo "unknown command: compose" >&2; exit 1; }
  echo "$COMPOSE";;
"run "*) [ -z "$NO_RUN" ] || { echo "no cgroups" >&2; exit 125; };;
*" build "*) echo "no such base" >&2; exit 1;;
*" down "*) echo "no such network" >&2; exit 1;;
esac
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What `docker` was asked for; it has a compose, and runs what it is given."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o555)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.setenv("COMPOSE", "2.24.0")
    monkeypatch.setenv("NO_RUN", "")
    _forget()
    yield tmp_path / "told"
    _forget()


def _forget() -> None:
    for each in (engine._no_engine, engine._no_compose, engine._no_image, engine._cannot_run):  # pyright: ignore[reportPrivateUsage]
        each.cache_clear()


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("version", ["2.24.0", "v2.29.7", "2.26.1-4", "3.0.0-rc.1"])
def test_an_engine_with_all_of_it_lacks_nothing(version: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMPOSE", version)
    assert engine.missing(engine.POSTGRES, compose=True) == ""


@pytest.mark.usefixtures("told")
def test_an_engine_without_compose_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMPOSE", "")
    assert "no docker compose: unknown command" in engine.missing(engine.POSTGRES, compose=True)
    assert engine.missing(engine.POSTGRES) == ""


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("version", ["2.23.3", "1.29.2", "dev"])
def test_a_compose_that_is_too_old_is_told(version: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMPOSE", version)
    assert "2.24 or newer" in engine.missing(engine.POSTGRES, compose=True)


@pytest.mark.usefixtures("told")
def test_an_engine_that_runs_nothing_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_RUN", "1")
    assert "runs no container: no cgroups" in engine.missing(engine.POSTGRES)


def test_a_failed_build_is_told_though_nothing_can_be_taken_down(told: Path):
    with pytest.raises(AssertionError, match="no such base") as failed, new_project():
        pass
    assert "no such network" in "".join(failed.value.__notes__)


def test_each_project_builds_an_image_of_its_own_and_removes_it(told: Path):
    for _ in range(2):
        with pytest.raises(AssertionError), new_project():
            pass
    asked = told.read_text().splitlines()
    removed = [line.split()[-1] for line in asked if line.startswith("image rm ")]
    assert len(set(removed)) == len(removed) == 2


def test_the_oldest_compose_is_the_one_that_is_documented():
    page = Path(__file__).parents[2] / "docs" / "containers.md"
    assert f"compose {'.'.join(map(str, engine.COMPOSE))} or newer" in page.read_text()
