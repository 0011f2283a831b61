"""Starts the process that makes a load, and hears what became of it."""

import asyncio
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.plan import Plan, Told


class LoaderDied(Exception):
    """The loader ended without its report; its own words stand above."""


class Loader:
    """A loader with all its wishes made, waiting for the word."""

    def __init__(self, process: Process, answer: Path) -> None:
        self._process = process
        self._answer = answer

    def begin(self, at: float) -> None:
        """Let it begin at a moment of the monotonic clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{at}\n".encode())

    async def told(self) -> Told:
        """Wait for its end."""
        code = await self._process.wait()
        if code:
            raise LoaderDied(f"the loader ended with code {code}")
        return msgspec.json.decode(self._answer.read_bytes(), type=Told)


@asynccontextmanager
async def loading(plan: Plan) -> AsyncGenerator[Loader]:
    """Run a loader; it is ended with the block, whatever it does."""
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as directory:
        answer = Path(directory) / "told.json"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.loader", str(answer)), stdin=PIPE, stdout=PIPE
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            if not await process.stdout.readline():
                raise LoaderDied(f"the loader ended with code {await process.wait()}")
            yield Loader(process, answer)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
