"""A process of Quire that a test may kill, freeze or end."""

import asyncio
import signal
from pathlib import Path

from tests.faults.forked import Child
from tests.integration.relay_world import until


class Process:
    """Told by its ready file and its log; it ends with its test."""

    def __init__(self, child: Child, ready: Path, log_file: Path) -> None:
        self._child = child
        self.ready_file = ready
        self.log_file = log_file

    async def ready(self) -> None:
        async def says_so() -> bool:
            assert self._child.returncode is None, self.log_file.read_text()[-2000:]
            return self.ready_file.is_file()

        await until(says_so, 60)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def freeze(self) -> None:
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self._child.returncode is None:
            self._child.kill()
        await self._child.wait()

    async def ended(self, seconds: float) -> int:
        """Wait until it ends by itself; gives the exit status."""
        async with asyncio.timeout(seconds):
            return await self._child.wait()

    async def end(self, seconds: float = 10) -> int:
        """SIGTERM; gives the exit status, and fails when that takes too long."""
        self._child.terminate()
        async with asyncio.timeout(seconds):
            return await self._child.wait()
