"""Children forked from a process that has imported everything: one begins within milliseconds."""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.orphans import die_with_parent

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(
    [
        "pytest",
        "uvloop",
        "cli.run",
        "streams.beginning",
        "streams.faustapp",
        "streams.projector",
        "streams.timers",
        "tests.faults.test_payments",
        "tests.faults.test_relay_awaits",
    ]
)


async def forked(target: Callable[..., None], *arguments: Any, seconds: float = 30) -> int:
    """Run a function of a test's module in a child; gives its exit status, -9 for a kill."""
    child = Child(target, *arguments)
    try:
        async with asyncio.timeout(seconds):
            return await child.wait()
    finally:
        child.kill()


class Child:
    """A child of the process that has imported everything; it dies with that one."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self._process: BaseProcess = _fork.Process(target=_tied, args=(target, *arguments))
        self._process.daemon = True
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.pid is not None and self.returncode is None:
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until it has ended; gives the exit status, -9 for a kill."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            while (status := self.returncode) is None:
                await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        return status


def _tied(target: Callable[..., None], *arguments: Any) -> None:
    die_with_parent()
    target(*arguments)


def command_line(
    main: Callable[[], None], words: tuple[str, ...], log: Path, environment: Mapping[str, str]
) -> None:
    """Run a verb as a process of its own does, without the second that Python takes to begin."""
    os.setsid()
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["quire", *words]
    main()


KILLED = -signal.SIGKILL
