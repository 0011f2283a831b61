"""The figures of one process, made of the table when they are first asked for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from telemetry.metric import Kind, Metric
from telemetry.table import BY_NAME

ASK_SECONDS = 2.0

Ask = Callable[[], Awaitable[None]]
Figure = Counter | Gauge | Histogram

log = logging.getLogger("quire.telemetry")


class Figures:
    """One registry. What a process never asks for does not stand on its page."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._all: dict[str, Figure] = {}
        self._asks: dict[tuple[str, ...], Ask] = {}
        self._turn = asyncio.Lock()
        ProcessCollector(registry=self._registry)

    def counter(self, name: str) -> Counter:
        """By its name in the table; KeyError where it is none."""
        made = self._made(name, Kind.COUNTER)
        assert isinstance(made, Counter)
        return made

    def gauge(self, name: str) -> Gauge:
        """By its name in the table; KeyError where it is none."""
        made = self._made(name, Kind.GAUGE)
        assert isinstance(made, Gauge)
        return made

    def histogram(self, name: str) -> Histogram:
        """By its name in the table; KeyError where it is none."""
        made = self._made(name, Kind.HISTOGRAM)
        assert isinstance(made, Histogram)
        return made

    def asked(self, ask: Ask, *names: str) -> None:
        """Let `ask` set these gauges, which have labels, anew for each page, and only then.

        Where it fails, or does not answer within two seconds, they are missing from the page.
        """
        for name in names:
            self.gauge(name)
        self._asks[names] = ask

    async def page(self) -> bytes:
        """All of it as Prometheus text."""
        async with self._turn:  # two who ask at once must not ask twice at once
            await asyncio.gather(*(self._ask(names, ask) for names, ask in self._asks.items()))
            return self.text()

    def text(self) -> bytes:
        """The same, with what was asked for last."""
        return generate_latest(self._registry)

    def _made(self, name: str, kind: Kind) -> Figure:
        row = _row(name, kind)
        if name not in self._all:
            self._all[name] = _new(row, self._registry)
        return self._all[name]

    async def _ask(self, names: tuple[str, ...], ask: Ask) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await ask()
        except Exception as fault:  # a page without one figure is better than none
            log.info("%s: not known: %r", ", ".join(names), fault)
            for name in names:
                self.gauge(name).clear()


@cache
def of_this_process() -> Figures:
    """Those of the long-running process that we are; the API has its own with each application."""
    return Figures()


def _row(name: str, kind: Kind) -> Metric:
    row = BY_NAME[name]
    if row.kind is not kind or row.given:
        raise KeyError(f"{name} is a {row.kind} of the table, not a {kind} of ours")
    return row


def _new(row: Metric, registry: CollectorRegistry) -> Figure:
    told = (row.name, row.meaning, row.labels)
    match row.kind:
        case Kind.COUNTER:
            return Counter(*told, registry=registry)
        case Kind.GAUGE:
            return Gauge(*told, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(*told, buckets=row.buckets, registry=registry)
