"""The CPU account: nothing twice, nobody left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cpu
from bench.cpu import Reading, between, parse

STAT = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 11 5 30 4 20 0 1 0 9"
BUSY = "sum(number * number for number in range(3_000_000))"


def test_a_name_with_brackets_is_read_over():
    assert parse(STAT) == (42, 7, 16, 34)


def test_a_child_that_ended_is_counted():
    me = {"me": os.getpid()}
    before = cpu.read(me, 0, 0)
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    spent = between(before, cpu.read(me, 0, 0))
    assert spent["me"] > 0.05


def test_a_process_in_a_container_is_found_by_its_number_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for pid, parent, numbers in ((10, 1, "10 1"), (11, 10, "11 7"), (12, 10, "12 8"), (7, 1, "7")):
        place = tmp_path / str(pid)
        place.mkdir()
        (place / "stat").write_text(
            STAT.replace("42 (", f"{pid} (", 1).replace("S 7", f"S {parent}")
        )
        (place / "status").write_text(f"Name:\tx\nNSpid:\t{numbers}\nThreads:\t1\n")
    (tmp_path / "self").symlink_to("10")
    monkeypatch.setattr(cpu, "PROC", tmp_path)
    assert cpu.here(10, 7) == 11
    assert cpu.here(10, 9) == 0
    assert cpu.here(99, 7) == 0
    used = cpu.read({"postgres": 10}, 0, cpu.here(10, 7)).of
    # Two of its three, with children that ended; the third is what only we need.
    assert used["postgres"][1] * 16 == pytest.approx(used["observer"][1] * 2 * (16 + 34))


def test_who_died_before_is_not_billed_to_the_supervisor():
    before = Reading({"agent": (10, 5.0), "supervisor": (1, 1.0)})
    # The agent used 0.5 s more and died; the next one, pid 11, has used 2 s.
    after = Reading({"agent": (11, 2.0), "supervisor": (1, 6.6)})
    spent = between(before, after)
    assert spent["agent"] == 2.0
    assert round(spent["supervisor"], 6) == 0.6  # its own 0.1 and the half second of the dead
