"""Takes each protection out in a copy of the tree; the test that stands for it must fail then.

First all these tests run on an untouched copy, with as little patience: a test that fails anyway
proves nothing.

    python -m tests.mutants               # all
    python -m tests.mutants fence sweep   # those whose name contains a word
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.servers import running_kafka, running_postgres
from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "patches"
LEFT_OUT = (".git", ".venv", ".quire", "*_cache", "__pycache__", "node_modules", ".hypothesis")
A_TEST_FAILED = 1  # pytest's word; 2 and more: it could not run
PATIENCE = 0.3  # how much of its usual time a test waits for what never comes
AT_MOST = 90.0  # seconds; a test that hangs did not pass


def main(words: list[str]) -> int:
    chosen = [one for one in MUTANTS if not words or any(word in one.patch for word in words)]
    caught = 0
    with running_postgres() as (_, port, layout), running_kafka() as (_, kafka):
        servers = {"QUIRE_TEST_POSTGRES": f"{layout.root}:{port}", "QUIRE_TEST_KAFKA": kafka}
        if not _sound(chosen, servers):
            return 1
        for mutant in chosen:
            started = time.monotonic()
            verdict = _try(mutant, servers)
            caught += verdict == "caught"
            seconds = time.monotonic() - started
            print(
                f"{verdict:<14} {seconds:5.1f} s  {mutant.patch}: {mutant.protection}", flush=True
            )
    print(f"{caught} passed, {len(chosen) - caught} failed")
    return 0 if caught == len(chosen) else 1


def _sound(mutants: list[Mutant], servers: dict[str, str]) -> bool:
    with _copy() as tree:
        done = _pytest(tree, servers, *dict.fromkeys(mutant.test for mutant in mutants))
    print(f"untouched: {done.stdout.splitlines()[-1]}", flush=True)
    if done.returncode:
        print(done.stdout[-3000:])
    return done.returncode == 0


def _try(mutant: Mutant, servers: dict[str, str]) -> str:
    """What became of one mutant: caught, or why not."""
    with _copy() as tree:
        if not _applies(PATCHES / f"{mutant.patch}.patch", tree):
            return "DOES NOT APPLY"
        try:
            done = _pytest(tree, servers, mutant.test, seconds=AT_MOST)
        except subprocess.TimeoutExpired:
            return "caught"
    if done.returncode == A_TEST_FAILED and " failed" in done.stdout.splitlines()[-1]:
        return "caught"
    if done.returncode == 0:
        return "SURVIVED"
    print(done.stdout[-1500:], done.stderr[-500:])
    return "COULD NOT RUN"


@contextmanager
def _copy() -> Generator[Path]:
    """The tree as it is now, without what is made from it."""
    with tempfile.TemporaryDirectory(prefix="quire-mutant-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        yield tree


def _pytest(
    tree: Path, servers: dict[str, str], *tests: str, seconds: float | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env={**os.environ, **servers, "QUIRE_TEST_PATIENCE": str(PATIENCE)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _applies(patch: Path, tree: Path) -> bool:
    done = subprocess.run(
        ["git", "apply", "-C1", str(patch)],
        cwd=tree,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
