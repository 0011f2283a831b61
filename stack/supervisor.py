"""Keeps processes running: starts them, starts again with back-off what died, stops them."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from random import uniform
from signal import SIGKILL
from time import monotonic

import msgspec

from stack.errors import StackFault
from stack.process import Spec, last_lines, spawn

POLL_SECONDS = 0.03
FIRST_WAIT = 0.2
LONGEST_WAIT = 8.0
CALM_SECONDS = 10.0  # who ran this long begins at the first wait again
START_SECONDS = 60.0
DEATHS_AT_START = 3
NEEDS_A_PERSON = 78  # the exit code of who knows that trying again does not help


class State(StrEnum):
    """Where a process stands."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # it died; the next start comes after the back-off
    FAILED = "failed"  # it said that trying again does not help: a person must look
    STOPPED = "stopped"


class Standing(msgspec.Struct, frozen=True):
    """What `quire status` tells of one process."""

    name: str
    state: State
    pid: int | None
    restarts: int
    since: datetime


class Kept:
    """One process, kept running until it is told to stop."""

    def __init__(self, spec: Spec, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.spec = spec
        self._say = say
        self._changed = changed
        self._stopping = False
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._was_ready = False
        self._standing = Standing(spec.name, State.STOPPED, None, 0, datetime.now(UTC))

    @property
    def standing(self) -> Standing:
        return self._standing

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=self.spec.name)

    async def until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait for the first `ready`; say why when it does not come."""
        deadline = monotonic() + seconds
        while not self._was_ready:
            if self._task is not None and self._task.done():
                self._task.result()
            if self._standing.state is State.FAILED:
                raise self._fault("failed", "needs a person")
            if self._standing.restarts >= DEATHS_AT_START:
                raise self._fault("died", f"ended {DEATHS_AT_START} times before it was ready")
            if monotonic() > deadline:
                raise self._fault("late", f"was not ready after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """End it by its own signal; by kill -9 when that takes too long."""
        self._stopping = True
        seconds = self.spec.stop_seconds
        if self.spec.stop_note:
            self._say(self.spec.stop_note)
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(self.spec.stop_signal)
            try:
                async with asyncio.timeout(seconds):
                    await process.wait()
            except TimeoutError:
                self._say(f"{self.spec.name} did not stop in {seconds:.0f} s: killed")
                process.kill()
                await process.wait()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._becomes(State.STOPPED)

    def kill(self) -> None:
        """End it the hard way; it will be started again."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(SIGKILL)

    async def _keep(self) -> None:
        deaths_in_a_row = 0
        while not self._stopping:
            started = monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if code == NEEDS_A_PERSON:
                self._say(f"{self.spec.name} stopped for good; {self.spec.log} says why")
                self._becomes(State.FAILED)
                return
            calm = monotonic() - started >= CALM_SECONDS
            deaths_in_a_row = 1 if calm else deaths_in_a_row + 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (deaths_in_a_row - 1)) * uniform(0.8, 1.2)
            self._say(f"{self.spec.name} ended ({_told(code)}); starting again in {wait:.1f} s")
            self._becomes(State.WAITING, restarts=self._standing.restarts + 1)
            await asyncio.sleep(wait)

    async def _run_once(self) -> int:
        process = self._process = await spawn(self.spec)
        self._becomes(State.STARTING, pid=process.pid)
        watch = asyncio.create_task(self._watch(process))
        try:
            return await process.wait()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, process: Process) -> None:
        while not await self.spec.ready():
            await asyncio.sleep(POLL_SECONDS)
        if process.returncode is None:
            self._was_ready = True
            self._becomes(State.READY, pid=process.pid)

    def _becomes(
        self, state: State, *, pid: int | None = None, restarts: int | None = None
    ) -> None:
        old = self._standing
        count = old.restarts if restarts is None else restarts
        self._standing = Standing(self.spec.name, state, pid, count, datetime.now(UTC))
        self._changed()

    def _fault(self, code: str, what: str) -> StackFault:
        return StackFault(
            f"process_{code}",
            f"{self.spec.name} {what}; its log {self.spec.log} ends with:\n"
            f"{last_lines(self.spec.log)}",
        )


class Supervisor:
    """All processes of a stack, in the order in which they were started."""

    def __init__(
        self, say: Callable[[str], None], changed: Callable[[], None] = lambda: None
    ) -> None:
        self._say = say
        self._changed = changed
        self._groups: list[list[Kept]] = []

    @property
    def standings(self) -> list[Standing]:
        return [kept.standing for group in self._groups for kept in group]

    async def start(self, specs: Sequence[Spec], seconds: float = START_SECONDS) -> None:
        """Start these together, and wait until each has been ready once."""
        group = [Kept(spec, self._say, self._changed) for spec in specs]
        self._groups.append(group)
        for kept in group:
            kept.start()
        waiting = [asyncio.create_task(kept.until_ready(seconds)) for kept in group]
        try:
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()

    async def stop(self) -> bool:
        """Stop the groups, the last started first; those of one group together.

        Gives whether anything had been started.
        """
        any_started = bool(self._groups)
        while self._groups:
            await asyncio.gather(*(kept.stop() for kept in self._groups[-1]))
            self._groups.pop()
        return any_started

    def kill(self, name: str) -> None:
        """End one process by kill -9."""
        for group in self._groups:
            for kept in group:
                if kept.spec.name == name:
                    kept.kill()


def _told(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
