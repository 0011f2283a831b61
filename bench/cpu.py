"""The CPU time of processes and all that they started, read from Linux' /proc.

A process' own user and system time, and that of the children whose end it has seen: summed over a
tree nothing is counted twice, and nobody who ended meanwhile (a Postgres backend) is left out.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
SUPERVISOR = "supervisor"


class Used(NamedTuple):
    """What one process has used so far, in ticks of the clock."""

    pid: int
    parent: int
    own: int
    children: int


class Reading(NamedTuple):
    """Seconds used so far: name -> (pid, seconds). The supervisor's holds those of its dead."""

    of: dict[str, tuple[int, float]]


def can_read() -> bool:
    """Whether this system tells."""
    return (PROC / "self" / "stat").is_file()


def parse(stat: str) -> Used:
    """A line of /proc/<pid>/stat; the name in it may hold blanks and brackets."""
    pid = int(stat[: stat.index(" ")])
    fields = stat[stat.rindex(")") + 2 :].split()
    utime, stime, cutime, cstime = (int(field) for field in fields[11:15])
    return Used(pid, int(fields[1]), utime + stime, cutime + cstime)


def processes() -> dict[int, Used]:
    """Every process that lives now."""
    found: dict[int, Used] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                used = parse((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            found[used.pid] = used
    return found


def here(root: int, number: int) -> int:
    """The id on this machine of a process that `root`'s container numbers otherwise; 0 if gone."""
    for pid in tree(root, processes()):
        try:
            status = (PROC / str(pid) / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        numbers = status.partition("NSpid:")[2].partition("\n")[0].split()
        if numbers and int(numbers[-1]) == number:
            return pid
    return 0


def tree(root: int, living: Mapping[int, Used]) -> list[int]:
    """A process and all that it started, and they."""
    children: dict[int, list[int]] = {}
    for used in living.values():
        children.setdefault(used.parent, []).append(used.pid)
    found = [root] if root in living else []
    for each in found:
        found += children.get(each, [])
    return found


def read(named: Mapping[str, int], supervisor: int, observer: int) -> Reading:
    """Add up each named tree; `observer`, a backend of Postgres that only we need, stands apart."""
    if not can_read():
        return Reading({})
    living = processes()
    ticks = os.sysconf("SC_CLK_TCK")

    def used(root: int) -> int:
        pids = [pid for pid in tree(root, living) if pid != observer]
        return sum(living[pid].own + living[pid].children for pid in pids)

    of = {name: (pid, used(pid) / ticks) for name, pid in named.items()}
    if supervisor in living:
        head = living[supervisor]
        of[SUPERVISOR] = (supervisor, (head.own + head.children) / ticks)
    if observer in living:
        of["observer"] = (observer, living[observer].own / ticks)
    return Reading(of)


def between(before: Reading, after: Reading) -> dict[str, float]:
    """Seconds used from one reading to the next. What a process that died had used before the
    first stands in the supervisor's account, from which it is taken again."""
    spent: dict[str, float] = {}
    lost = 0.0
    for name, (pid, seconds) in after.of.items():
        old_pid, old = before.of.get(name, (pid, 0.0))
        if old_pid != pid:
            lost += old
            old = 0.0
        spent[name] = seconds - old
    if SUPERVISOR in spent:
        spent[SUPERVISOR] = max(0.0, spent[SUPERVISOR] - lost)
    return spent
