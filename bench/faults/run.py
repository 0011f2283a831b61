"""One fault run: load, injuries beside it, healing, and the checks."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from time import monotonic
from uuid import uuid4

import msgspec

from bench import shelves
from bench.faults import checks, settling
from bench.faults.arena import Arena
from bench.faults.customers import Customers
from bench.faults.injuries import Injuries
from bench.faults.plan import Injury
from bench.faults.recovery import Recovery
from bench.faults.report import Finding, Report
from bench.loading import Loader, LoaderDied, loading
from bench.plan import Plan, Told
from store.connect import connect

PROFILES = ("store", "flash")
LEAD_SECONDS = 0.5  # from the signal to the first order
ANSWERED_SECONDS = 60.0  # after the load, each request has its answer
BACK_SECONDS = 30.0
EXPECTED = {"0", "503"}  # nobody there, or told to come again: the client gave up in the end


class Wanted(msgspec.Struct, frozen=True):
    """What the run is asked for; `rate` in orders a second."""

    seed: int
    seconds: float
    rate: float
    settle_seconds: float


class FaultRun:
    """Hurts the arena by the plan. `stop` ends the load and the injuries; the checks still come."""

    def __init__(
        self, arena: Arena, wanted: Wanted, plan: Sequence[Injury], say: Callable[[str], None]
    ) -> None:
        self._arena = arena
        self._wanted = wanted
        self._plan = plan
        self._say = say
        # A stack that is used again has met the keys of earlier runs.
        self._run = f"faults-{wanted.seed}-{uuid4().hex[:6]}"
        self._recovery = Recovery(arena)
        self._injuries = Injuries(arena, self._recovery, wanted.seed, say)
        self._customers = Customers(arena.servers.url, wanted.seed, self._run)
        self._stop = asyncio.Event()
        self._findings: list[Finding] = []

    async def run(self) -> Report:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._stop.set)
        following = asyncio.create_task(self._recovery.follow())
        living = asyncio.create_task(self._customers.live())
        try:
            told = await self._load_and_injuries()
            began = monotonic()
            self._say("healed; waiting until all is settled (Ctrl-C: check now)")
            self._stop.clear()
            await self._until_settled()
            settled = monotonic() - began
        finally:
            for task in (following, living):
                task.cancel()
            await asyncio.gather(following, living, return_exceptions=True)
        return await self._report(told, settled)

    async def _load_and_injuries(self) -> list[Told]:
        interrupted = asyncio.create_task(self._stop.wait())
        work = asyncio.create_task(self._hurt_under_load())
        await asyncio.wait({work, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if not work.done():
            self._interrupted = True
            self._say("interrupted: no more orders, no more injuries")
            work.cancel()
        try:
            return await work
        except asyncio.CancelledError:
            return []

    _interrupted = False

    async def _hurt_under_load(self) -> list[Told]:
        plans = [self._load(profile) for profile in PROFILES]
        async with AsyncExitStack() as stack:
            async with await connect(self._arena.servers.postgres_dsn, name="quire-faults") as conn:
                for plan in plans:
                    wanted = plan.wanted(len(plan.moments()))
                    await shelves.fill(conn, plan.kafka, plan.run, wanted)
            loaders = [await stack.enter_async_context(loading(plan)) for plan in plans]
            count = sum(len(plan.moments()) for plan in plans)
            self._say(f"{count} orders over {self._wanted.seconds:g} s, {len(self._plan)} injuries")
            begin = monotonic() + LEAD_SECONDS
            for loader in loaders:
                loader.begin(begin)
            await self._injuries.inflict(self._plan, begin)
            limit = begin + self._wanted.seconds + ANSWERED_SECONDS - monotonic()
            return list(await asyncio.gather(*(self._told(each, limit) for each in loaders)))

    def _load(self, profile: str) -> Plan:
        rate = self._wanted.rate / len(PROFILES)
        servers = self._arena.servers
        run = f"{self._run}-{profile}"
        return Plan(
            run, profile, rate, self._wanted.seconds, False, "http", servers.kafka, servers.url
        )

    async def _told(self, loader: Loader, limit: float) -> Told:
        try:
            async with asyncio.timeout(limit):
                return await loader.told()
        except (TimeoutError, LoaderDied) as fault:
            detail = (
                str(fault) or f"requests without an answer {ANSWERED_SECONDS:g} s after the end"
            )
            self._findings.append(Finding("no_answer", "the load", detail))
            return Told([], 0, 0, {})

    async def _until_settled(self) -> None:
        settling_ = asyncio.create_task(self._settled())
        asked = asyncio.create_task(self._stop.wait())
        await asyncio.wait({settling_, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        settling_.cancel()
        await asyncio.gather(settling_, return_exceptions=True)

    async def _settled(self) -> None:
        limit = self._wanted.settle_seconds
        left = await settling.settle(self._arena, limit, closed=self._arena.own)
        if left:
            detail = ", ".join(f"{name} ({count})" for name, count in left.items())
            self._findings.append(Finding("not_settled", f"after {limit:g} s", detail))

    async def _report(self, told: list[Told], settled: float) -> Report:
        accepted = {order for one in told for order in one.orders if order}
        refused = sum((Counter(one.refused) for one in told), Counter[str]())
        for status, count in refused.items():
            if status not in EXPECTED:
                self._findings.append(Finding("refused", f"{count} orders", f"status {status}"))
        for problem, count in self._customers.problems.items():
            self._findings.append(Finding("problem", f"{count} wishes", problem))
        self._findings += [Finding("extra_worker", each) for each in self._injuries.stuck]
        slow = [one for one in self._recovery.back if one.seconds > BACK_SECONDS]
        for name, cause, seconds in [*slow, *self._recovery.away]:
            # Said with it, for a machine that is busy with other things is slow by itself.
            busy = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
            detail = f"not back at work {seconds:.1f} s after {cause} ({busy})"
            self._findings.append(Finding("slow_recovery", name, detail))
        checked = await checks.check(self._arena, accepted, self._say)
        findings = [*self._findings, *checked.findings]
        recoveries: dict[str, float] = {}
        for name, cause, seconds in self._recovery.back:
            key = f"{name} after {cause}"
            recoveries[key] = max(recoveries.get(key, 0), round(seconds, 1))
        return Report(
            ok=not findings,
            kills=self._injuries.done["kill"],
            orders=len(accepted),
            lost=checked.lost,
            twice=checked.twice,
            slowest_recovery_s=max(recoveries.values(), default=0.0),
            findings=findings,
            seed=self._wanted.seed,
            seconds=self._wanted.seconds,
            done=dict(self._injuries.done),
            answers={
                f"{wish} {status}": count
                for (wish, status), count in sorted(self._customers.answers.items())
            }
            | {f"order {status}": count for status, count in refused.items()},
            ends=checked.ends,
            recoveries=recoveries,
            mails_repeated=checked.mails_repeated,
            facts=checked.facts,
            settled_s=round(settled, 1),
            interrupted=self._interrupted,
        )
