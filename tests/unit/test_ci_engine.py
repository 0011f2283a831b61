"""The gate's container engine: started where none runs, never held on to, stopped if it is ours."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from shutil import copytree, which

import pytest

from tests.acceptance.wait import until

ENGINE = Path(__file__).parents[2] / ".ci" / "engine"

RECIPES = """#!/bin/bash
echo "$*" >>"$TOLD/calls"
case "$*" in
"engine start") [ -z "$BROKEN" ] || exit 1
  sleep 60 & echo $! >"$TOLD/pid"; touch "$TOLD/runs";;
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
        self.told, self.work, shared = root / "told", root / "work", root / "shared"
        recipes, programs = root / "recipes", root / "bin"
        for each in (self.told, self.work, shared, recipes / "images", programs):
            each.mkdir(parents=True)
        self.recipes = _script(recipes / "standins", RECIPES)
        _script(programs / "docker", DOCKER)
        (recipes / "images" / "recipe").touch(0o444)
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "TOLD": str(self.told),
            "TMPDIR": str(shared),
        }

    def engine(self, verb: str, work: Path | None = None, **env: str) -> str:
        """Give what it prints; returns once nobody holds its output any more."""
        done = subprocess.run(
            [ENGINE, verb, work or self.work],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
            env={**self.env, "QUIRE_STANDINS": str(self.recipes), **env},
        )
        return done.stdout

    @property
    def calls(self) -> list[str]:
        file = self.told / "calls"
        return file.read_text().splitlines() if file.is_file() else []

    def end(self) -> None:
        root = self.told.parent
        for pid in (self.told / "pid", *root.glob("*/holder")):
            if pid.is_file():
                with suppress(ProcessLookupError):
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


@pytest.mark.parametrize("first", ["who started it", "who came later"])
def test_of_two_gates_the_last_to_leave_stops_the_engine(gate: Gate, first: str):
    other = gate.told.parent / "other"
    other.mkdir()
    gate.engine("start")
    assert "is used" in gate.engine("start", other)
    leaving = [gate.work, other] if first == "who started it" else [other, gate.work]
    gate.engine("stop", leaving[0])
    assert (gate.told / "runs").exists(), "another gate is at work on it"
    gate.engine("stop", leaving[1])
    assert not (gate.told / "runs").exists()
    assert gate.calls.count("engine stop") == 1


def test_a_gate_that_was_killed_keeps_no_engine(gate: Gate):
    killed = gate.told.parent / "killed"
    killed.mkdir()
    gate.engine("start")
    caller = ["bash", "-c", '"$0" start "$1"; exit 1', str(ENGINE), str(killed)]
    subprocess.run(caller, check=False, capture_output=True, timeout=30, env=gate.env)
    holder = int((killed / "holder").read_text())
    until(lambda: not Path(f"/proc/{holder}").exists(), 20)
    gate.engine("stop")
    assert not (gate.told / "runs").exists()


def test_an_engine_that_would_not_start_is_not_stopped(gate: Gate):
    gate.engine("start", BROKEN="1")
    gate.engine("stop")
    assert "engine stop" not in gate.calls


@pytest.mark.parametrize("code", [0, 2])
def test_what_cannot_be_cleaned_up_leaves_the_code_of_the_gate(tmp_path: Path, code: int):
    copytree(ENGINE.parent, tmp_path / "tree" / ".ci")
    programs = tmp_path / "bin"
    programs.mkdir()
    _script(programs / "make", f"#!/bin/bash\necho all is said; exit {code}\n")
    _script(programs / "rm", "#!/bin/bash\nexit 1\n")
    for name in ("docker", "promtool"):
        _script(programs / name, "#!/bin/bash\nexit 1\n")
    done = subprocess.run(
        [tmp_path / "tree" / ".ci" / "run"],
        check=False,
        capture_output=True,
        timeout=30,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "TMPDIR": str(tmp_path),
            "QUIRE_STANDINS": "/nowhere/standins",
        },
    )
    assert done.returncode == code


@pytest.mark.parametrize("fetched", [True, False])
def test_promtool_is_unpacked_where_it_can_be_fetched(tmp_path: Path, *, fetched: bool):
    fetch = "touch prometheus_1_all.deb" if fetched else "exit 100"
    _script(tmp_path / "apt-get", f'#!/bin/bash\n[ "$*" = "download prometheus" ] && {fetch}\n')
    unpack = "mkdir -p usr/bin && touch usr/bin/promtool && chmod +x usr/bin/promtool"
    _script(tmp_path / "dpkg-deb", f'#!/bin/bash\n[ "$1" = --extract ] && {unpack}\n')
    # Those that it needs, so that no promtool of this machine is found.
    for name in ("bash", "env", "mkdir", "rm", "timeout", "touch", "chmod"):
        (tmp_path / name).symlink_to(which(name) or name)
    done = subprocess.run(
        [ENGINE.with_name("promtool"), tmp_path],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
        timeout=30,
    )
    place = tmp_path / "promtool" / "usr" / "bin"
    assert done.stdout == (f"{place}\n" if fetched else "")
    assert (place / "promtool").exists() == fetched


def test_the_gate_s_images_are_its_own_and_go(tmp_path: Path):
    told = tmp_path / "told"
    for name in ("make", "docker"):
        _script(tmp_path / name, f'#!/bin/bash\necho {name} "$*" >>"{told}"\n')
    work = tmp_path / "work"
    work.mkdir()
    path = f"{tmp_path}:{os.environ['PATH']}"
    image = [ENGINE.with_name("image"), work]
    subprocess.run(image, check=True, cwd=ENGINE.parents[1], env={"PATH": path}, timeout=30)
    lines = told.read_text().splitlines()
    built = [line.partition("TAG=")[2] for line in lines if line.startswith("make")]
    assert len(built) == 2
    assert "quire:local" not in built
    assert lines[-1] == f"docker image rm {' '.join(built)}"
