"""The mail sink as a process of its own, which a test may kill and start again on the same port."""

import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from gateways.mailbox import Mailbox
from stack.ports import free_ports
from stack.process import Spec, file_says_ready, spawn
from tests.integration.relay_world import until


class Sink:
    """`quire run mail`, and the box that it fills."""

    def __init__(self, path: Path) -> None:
        self._path = path
        [self.port] = free_ports(1)
        self.box = Mailbox(path / "mail")
        self.log = path / "mail.log"
        self._process: Process | None = None

    async def start(self) -> None:
        ready = self._path / "mail.ready"
        ready.unlink(missing_ok=True)
        env = {
            "QUIRE_STATE_DIR": str(self._path),
            "QUIRE_SMTP_PORT": str(self.port),
            "QUIRE_READY_FILE": str(ready),
        }
        words = (sys.executable, "-m", "cli.main", "run", "mail")
        self._process = await spawn(
            Spec("mail", words, self.log, file_says_ready(ready), {**os.environ, **env})
        )
        await until(file_says_ready(ready))

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def end(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    @property
    def settings(self) -> dict[str, object]:
        """What sends mail here."""
        return {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_tls": "none"}


@asynccontextmanager
async def sink(path: Path) -> AsyncGenerator[Sink]:
    made = Sink(path)
    try:
        yield made
    finally:
        await made.kill()
