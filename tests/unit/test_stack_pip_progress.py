"""The line that `make` shows while pip works."""

import subprocess
import sys


def run(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "stack/pip_progress.py"],
        input=words, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_counts_packages_and_keeps_quiet_about_the_rest():
    done = run("Collecting one==1\n  Downloading one.whl\nCollecting two\nexit 0\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "  2 packages installed\n")


def test_a_failure_keeps_its_code_and_its_last_words():
    failed = run("Collecting one==1\nERROR: no wheel for this platform\nexit 3\n")
    assert failed.returncode == 3
    assert "no wheel for this platform" in failed.stderr


def test_a_pip_that_was_killed_is_a_failure():
    assert run("Collecting one==1\n").returncode == 1
