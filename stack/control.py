"""Looks at a stack from outside, and ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from subprocess import DEVNULL
from time import monotonic, sleep

import msgspec

from stack import board
from stack.board import Board
from stack.errors import StackFault
from stack.lag import Lag, lags
from stack.layout import Layout
from stack.parked import parked, told
from stack.process import last_lines
from stack.supervisor import Standing, State
from stack.why import last_words

LOOK_SECONDS = 0.1
DOWN_SECONDS = 60.0
UP_SECONDS = 300.0


class Seen(Standing, frozen=True):
    """One process with its lag; none where it has none, or where it could not be asked for."""

    lag: Lag | None
    why: str = ""
    """What it said when it stopped for good."""


class Status(msgspec.Struct, frozen=True):
    """The whole stack as it is now."""

    healthy: bool
    url: str | None
    pid: int | None
    processes: tuple[Seen, ...]
    parked: str = ""
    """How many messages are parked, and for which causes; empty when none is."""


async def status(layout: Layout) -> Status:
    """Read the board, and ask Kafka and Postgres how far everybody is."""
    pid = board.running(layout)
    seen = board.read(layout)
    if pid is None or seen is None:
        return Status(healthy=False, url=None, pid=None, processes=())
    servers = seen.servers
    behind = await lags(servers.postgres_dsn, servers.kafka) if servers else {}
    waiting = await parked(servers.postgres_dsn) if servers else []
    return Status(
        healthy=seen.up and all(each.state is State.READY for each in seen.processes),
        url=servers.url if servers else None,
        pid=pid,
        processes=tuple(
            Seen(
                **msgspec.structs.asdict(each),
                lag=behind.get(each.name),
                why=last_words(layout.log(each.name)) if each.state is State.FAILED else "",
            )
            for each in seen.processes
        ),
        parked=told(waiting),
    )


def down(layout: Layout) -> bool:
    """Ask the supervisor to end and wait until it has; tell whether there was one."""
    pid = board.running(layout)
    if pid is None:
        return False
    with suppress(ProcessLookupError):  # somebody else stopped it in this moment
        os.kill(pid, signal.SIGTERM)
    deadline = monotonic() + DOWN_SECONDS
    while board.running(layout) is not None:
        if monotonic() > deadline:
            raise StackFault("still_running", f"the stack (pid {pid}) did not stop in a minute")
        sleep(LOOK_SECONDS)
    return True


def detach(
    layout: Layout,
    words: list[str],
    say: Callable[[str], None],
    env: Mapping[str, str] | None = None,
) -> Board:
    """Start the same command, with `env` besides ours, and wait until its stack is up."""
    if board.running(layout) is not None:
        raise board.already_running(layout)
    layout.state.unlink(missing_ok=True)
    log = layout.log("stack")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *words],
            stdin=DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    told = 0
    deadline = monotonic() + UP_SECONDS
    while monotonic() < deadline:
        ended = process.poll() is not None
        seen = board.read(layout)
        for phase in seen.phases[told:] if seen else ():
            say(f"{phase.name:<12} {phase.seconds:6.2f} s")
            told += 1
        if seen is not None and seen.up:
            return seen
        if ended:
            break
        sleep(LOOK_SECONDS)
    raise StackFault("not_up", f"the stack did not come up:\n{last_lines(log)}", f"See {log}.")
