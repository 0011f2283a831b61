"""The gate's container engine: started where none runs, never held on to, stopped if it is ours."""

import os
import subprocess
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / ".ci" / "engine"

RECIPES = """#!/bin/bash
echo "$*" >>"$TOLD/calls"
case "$*" in
"engine start") sleep 60 & echo $! >"$TOLD/pid"; touch "$TOLD/runs";;
"engine stop") rm "$TOLD/runs";;
*) [ -w "$(dirname "$0")/images/recipe" ] && touch "$TOLD/writable"; exit "${FAILS:-0}";;
esac
"""
DOCKER = """#!/bin/bash
[ -e "$TOLD/runs" ]
"""


class Gate:
    """A machine whose engine is a file that is there or not."""

    def __init__(self, root: Path) -> None:
        self.told, self.work = root / "told", root / "work"
        recipes, programs = root / "recipes", root / "bin"
        for each in (self.told, self.work, recipes / "images", programs):
            each.mkdir(parents=True)
        self.recipes = _script(recipes / "standins", RECIPES)
        _script(programs / "docker", DOCKER)
        (recipes / "images" / "recipe").touch(0o444)
        self._env = {"PATH": f"{programs}:{os.environ['PATH']}", "TOLD": str(self.told)}

    def engine(self, verb: str, **env: str) -> str:
        """Give what it prints; returns once nobody holds its output any more."""
        done = subprocess.run(
            [ENGINE, verb, self.work],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
            env={**self._env, "QUIRE_STANDINS": str(self.recipes), **env},
        )
        return done.stdout

    @property
    def calls(self) -> list[str]:
        file = self.told / "calls"
        return file.read_text().splitlines() if file.is_file() else []

    def end(self) -> None:
        pid = self.told / "pid"
        if pid.is_file():
            os.kill(int(pid.read_text()), 9)


@pytest.fixture
def gate(tmp_path: Path):
    made = Gate(tmp_path)
    yield made
    made.end()


def _script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o555)
    return path


def test_an_engine_that_runs_is_used_and_left(gate: Gate):
    (gate.told / "runs").touch()
    assert "is used" in gate.engine("start")
    gate.engine("stop")
    assert gate.calls == []


def test_where_none_runs_one_is_started_and_stopped_again(gate: Gate):
    gate.engine("start")  # would not return while what it started holds the pipe
    assert gate.calls == ["engine start", ""]
    assert (gate.told / "writable").exists(), "the recipes are copied to where they can be written"
    gate.engine("stop")
    assert not (gate.told / "runs").exists()


def test_what_does_not_work_is_told_and_stops_nothing(gate: Gate):
    said = gate.engine("start", FAILS="3")
    assert "exit 3" in said
    assert "skipped" in said


def test_without_recipes_there_is_none(gate: Gate):
    said = gate.engine("start", QUIRE_STANDINS="/nowhere/standins")
    assert "skipped" in said
    assert gate.calls == []
