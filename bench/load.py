"""One load from its first order to the last at rest, measured."""

import asyncio
from collections.abc import Callable
from resource import RUSAGE_SELF, getrusage
from time import monotonic

from msgspec.structs import replace

from bench import cpu, findings, shelves, yardstick
from bench.arrivals import in_burst
from bench.loading import Loader, loading
from bench.plan import Plan, Told
from bench.report import Bursts, Report, percentile
from bench.target import Target
from bench.watch import ENDED, NOT_DONE, Watch

LEAD_SECONDS = 0.2  # from the signal to the first order


async def warmed(
    target: Target,
    plan: Plan,
    until: str,
    warm_up: float,
    drain: float,
    say: Callable[[str], None],
) -> Report:
    """The same load for a short while first, uncounted: Java and caches are cold after a start."""
    if warm_up:
        first = replace(plan, run=f"{plan.run}-warm", seconds=warm_up, bursts=False)
        say("warming up")
        await run(target, first, until, drain, say)
    return await run(target, plan, until, drain, say)


async def run(
    target: Target, plan: Plan, until: str, drain: float, say: Callable[[str], None]
) -> Report:
    """Put the load on the stack and measure until all of it rests."""
    watch = await Watch.start(target.postgres_dsn)
    try:
        return await _Load(target, plan, until, watch, say).run(drain)
    finally:
        await watch.close()


class _Load:
    def __init__(
        self, target: Target, plan: Plan, until: str, watch: Watch, say: Callable[[str], None]
    ) -> None:
        self._target = target
        self._plan = plan
        self._until = until
        self._watch = watch
        self._say = say
        self._moments = plan.moments()
        self._observer = target.backend(watch.pid)

    async def run(self, drain: float) -> Report:
        conn = self._watch.conn
        wanted = self._plan.wanted(len(self._moments))
        received = await shelves.fill(conn, self._plan.kafka, self._plan.run, wanted)
        if received:
            self._say(f"{received} codes stocked up")
            await self._watch.until_rest(0, (), 0, drain, self._say)
        async with loading(self._plan) as loader:
            self._say(f"orders over {self._plan.seconds:g} s: {len(self._moments):,}")
            head, reads = await self._watch.head(), await findings.reads(conn)
            before, own = self._cpu(), _own_cpu()
            over = asyncio.Event()
            measuring = asyncio.create_task(yardstick.during(over))
            begin = monotonic() + LEAD_SECONDS
            told = await self._sent(loader, begin)
            accepted = sum(map(bool, told.orders))
            self._say(f"{accepted} accepted; waiting until all rest")
            ends = (*ENDED[self._until], *NOT_DONE)
            await self._watch.until_rest(head, ends, accepted, drain, self._say)
            after, own = self._cpu(), _own_cpu() - own
            over.set()
            stick = await measuring
        report = await self._report(told, begin, head, reads, cpu.between(before, after), own)
        return replace(report, yardstick_ms=round(stick, 2))

    async def _sent(self, loader: Loader, begin: float) -> Told:
        loader.begin(begin)
        stop = asyncio.Event()
        following = asyncio.create_task(self._watch.follow(stop))
        try:
            return await loader.told()
        finally:
            stop.set()
            await following

    def _cpu(self) -> cpu.Reading:
        return cpu.read(self._target.processes, self._target.supervisor, self._observer)

    async def _report(
        self, told: Told, begin: float, head: int, reads: int, spent: dict[str, float], own: float
    ) -> Report:
        conn = self._watch.conn
        due = {order: at for order, at in zip(told.orders, self._moments, strict=True) if order}
        endings = await findings.endings(conn, head, (*ENDED[self._until], *NOT_DONE))
        plain: list[float] = []
        burst: list[float] = []
        last, done = 0.0, set[str]()
        for ending in endings:
            seen = self._watch.seen(ending.position)
            if ending.type in ENDED[self._until] and ending.order_id in due and seen is not None:
                at = due[ending.order_id]
                in_one = self._plan.bursts and in_burst(at, self._plan.seconds)
                (burst if in_one else plain).append(seen - begin - at)
                last = max(last, seen - begin)
                done.add(ending.order_id)
        rejected = {each.order_id for each in endings if each.order_id in due} - done
        events = await self._events(head)
        orders = max(1, len(done) + len(rejected))
        observer = spent.pop("observer", 0.0) + own
        plain.sort()
        burst.sort()
        return Report(
            profile=self._plan.profile,
            entry=self._plan.entry,
            until=self._until,
            rate=self._plan.rate,
            seconds=self._plan.seconds,
            orders_per_s=round(len(done) / max(last - min(due.values(), default=0), 0.001), 1),
            p50_ms=percentile(plain, 0.5),
            p95_ms=percentile(plain, 0.95),
            p99_ms=percentile(plain, 0.99),
            cpu_ms_per_order=_each(sum(spent.values()), orders) if spent else None,
            cpu_ms={name: _each(used, orders) for name, used in spent.items()},
            lost=await findings.lost(conn, due, self._until),
            twice=await findings.twice(conn, head, due, self._target.entries()),
            oversold=await findings.oversold(conn),
            accepted=len(due),
            done=len(done),
            rejected=len(rejected),
            refused=told.refused,
            events_per_order=round(events / orders, 3),
            faust_reads_per_order=round((await findings.reads(conn) - reads) / orders, 3),
            loader_cpu_ms_per_order=_each(told.cpu_seconds, orders),
            loader_late_p99_ms=told.late_ms,
            observer_cpu_ms_per_order=_each(observer, orders),
            bursts=_bursts(burst) if self._plan.bursts else None,
        )

    async def _events(self, after: int) -> int:
        cursor = await self._watch.conn.execute(
            "select count(*) from event where position > %s", (after,)
        )
        row = await cursor.fetchone()
        return row[0] if row else 0


def _own_cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _each(seconds: float, orders: int) -> float:
    return round(seconds * 1000 / orders, 4)


def _bursts(ordered: list[float]) -> Bursts:
    return Bursts(
        len(ordered),
        percentile(ordered, 0.5),
        percentile(ordered, 0.95),
        percentile(ordered, 0.99),
    )
