"""Children forked from a process that has imported everything: one begins within milliseconds."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(
    ["pytest", "uvloop", "tests.faults.test_payments", "tests.faults.test_relay_awaits"]
)


async def forked(target: Callable[..., None], *arguments: Any, seconds: float = 30) -> int:
    """Run a function of a test's module in a child; gives its exit status, -9 for a kill."""
    child: BaseProcess = _fork.Process(target=target, args=arguments, daemon=True)
    child.start()
    try:
        await asyncio.to_thread(child.join, seconds)
        assert child.exitcode is not None, f"the child did not end within {seconds} s"
        return child.exitcode
    finally:
        if child.is_alive():
            child.kill()


KILLED = -signal.SIGKILL
