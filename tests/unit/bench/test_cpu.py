"""The CPU account: nothing twice, nobody left out."""

import os
import subprocess
import sys

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


def test_who_died_before_is_not_billed_to_the_supervisor():
    before = Reading({"agent": (10, 5.0), "supervisor": (1, 1.0)})
    # The agent used 0.5 s more and died; the next one, pid 11, has used 2 s.
    after = Reading({"agent": (11, 2.0), "supervisor": (1, 6.6)})
    spent = between(before, after)
    assert spent["agent"] == 2.0
    assert round(spent["supervisor"], 6) == 0.6  # its own 0.1 and the half second of the dead
