"""Does what the plan says, each injury when its time has come, and heals all of it in the end."""

import asyncio
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from signal import Signals
from time import monotonic
from typing import Any

import httpx

from bench.faults.arena import Arena, Heal
from bench.faults.plan import Injury
from bench.faults.recovery import Recovery
from stack.process import spawn
from stack.supervisor import NEEDS_A_PERSON, State

EXTRA_END_SECONDS = 12.0


class Injuries:
    """The hand that hurts. `done` counts by kind what was really done."""

    def __init__(
        self, arena: Arena, recovery: Recovery, seed: int, say: Callable[[str], None]
    ) -> None:
        self._arena = arena
        self._recovery = recovery
        self._random = Random(f"{seed}/hand")
        self._say = say
        self._healing: set[Heal] = set()
        self.done: Counter[str] = Counter()
        self.stuck: list[str] = []

    async def inflict(self, plan: Sequence[Injury], begin: float) -> None:
        """Return when the last one is over; when cancelled, heal what was begun."""
        try:
            async with asyncio.TaskGroup() as group:
                for injury in plan:
                    await asyncio.sleep(begin + injury.at - monotonic())
                    group.create_task(self._inflict(injury))
        finally:
            for heal in [*self._healing]:
                await self._heal(heal)
            with suppress(httpx.HTTPError):
                async with httpx.AsyncClient(timeout=2) as http:
                    await http.delete(f"{self._arena.servers.provider}/v1/scripts")

    async def _inflict(self, injury: Injury) -> None:
        self._say(injury.text())
        match injury.kind:
            case "kill":
                told = await self._kill(injury)
            case "freeze":
                told = await self._hold(injury, self._arena.freeze)
            case "disconnect":
                told = await self._hold(injury, self._arena.disconnect)
            case "extra":
                told = await self._extra(injury)
            case "script":
                told = await self._script(injury)
            case _:
                told = await self._wire(injury)
        if told:
            self.done[injury.kind] += 1
        else:
            self._say(f"           {injury.kind} {injury.whom} was not done: nobody there")

    async def _kill(self, injury: Injury) -> bool:
        reached = await asyncio.to_thread(self._arena.kill, injury.whom)
        if reached:
            self._recovery.hurts(injury.whom, f"kill {injury.whom}")
        return reached

    async def _hold(self, injury: Injury, hold: Callable[[str], Heal | None]) -> bool:
        """Freeze or disconnect it for a while."""
        standing = self._arena.standings().get(injury.whom)
        if standing is None or standing.state is not State.READY:
            return False
        heal = await asyncio.to_thread(hold, injury.whom)
        if heal is None:
            return False
        self._healing.add(heal)
        cause = f"{injury.kind} {injury.whom}"
        self._recovery.hurts(injury.whom, cause)
        await asyncio.sleep(injury.seconds)
        await self._heal(heal)
        self._recovery.hurts(injury.whom, cause)
        return True

    async def _heal(self, heal: Heal) -> None:
        if heal in self._healing:
            await asyncio.to_thread(heal)
            self._healing.discard(heal)

    async def _extra(self, injury: Injury) -> bool:
        """A worker that comes and goes: each time, partitions change hands twice."""
        spec = self._arena.extra(injury.whom)
        if spec is None:
            return False
        ends = monotonic() + injury.seconds
        while True:
            process = await spawn(spec)
            try:
                # One that finds no Kafka at its start gives up: whoever runs it starts it again.
                async with asyncio.timeout(ends - monotonic()):
                    await process.wait()
                if process.returncode == NEEDS_A_PERSON:
                    self.stuck.append(f"{spec.name} stopped for good: see {spec.log}")
                    return False
                await asyncio.sleep(0.5)
            except TimeoutError:
                return await self._end(process, injury, spec.name)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def _end(self, process: Process, injury: Injury, name: str) -> bool:
        process.send_signal(Signals.SIGKILL if injury.share else Signals.SIGTERM)
        self._recovery.hurts(injury.whom, f"extra {injury.whom}")
        try:
            async with asyncio.timeout(EXTRA_END_SECONDS):
                await process.wait()
        except TimeoutError:
            self.stuck.append(f"{name} did not end {EXTRA_END_SECONDS:g} s after SIGTERM")
            return False
        return True

    async def _script(self, injury: Injury) -> bool:
        url = f"{self._arena.servers.provider}/v1/scripts"
        try:
            async with httpx.AsyncClient(timeout=2) as http:
                answer = await http.post(url, json=injury.script)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def _wire(self, injury: Injury) -> bool:
        proxy: Any = self._arena.proxies.get(injury.whom)
        if proxy is None:
            return False
        cause = f"{injury.kind} {injury.whom}"
        done = True
        match injury.kind:
            case "cut":
                done = proxy.cut(injury.share, self._random) > 0
            case "delay":
                await proxy.delayed(injury.share, injury.seconds)
            case _:
                await proxy.misbehave(injury.kind, injury.seconds)
        if injury.whom != "provider":
            self._recovery.hurts(injury.whom, cause)
        return done
