"""What a worker counts, a few steps a batch; and what went wrong, wherever it did."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from gateways.clock import Clock
from store.commit import Decided
from store.parked import NUDGE
from streams.context import Outside
from streams.incoming import Incoming
from telemetry.registry import of_this_process


def fault(what: object) -> None:
    """Something went wrong and is tried again; an exception counts under its kind."""
    name = type(what).__name__ if isinstance(what, Exception) else str(what)
    of_this_process().counter("quire_faults_total").labels(name).inc()


def leads(work: str, *, now: bool) -> None:
    """Whether this process does the work of which one does it at a time."""
    of_this_process().gauge("quire_leads").labels(work).set(now)


def waits_since(gauge: str, first: datetime | None) -> None:
    """Let each page tell how many seconds ago that was, also while this process is held up."""

    def seconds() -> float:
        return max(0.0, (datetime.now(UTC) - first).total_seconds()) if first else 0.0

    of_this_process().gauge(gauge).set_function(seconds)


class Batches:
    """Counts the batches of one agent."""

    def __init__(self, agent: str) -> None:
        figures = of_this_process()
        self._agent = agent
        self._messages = figures.counter("quire_messages_total")
        self._seconds = figures.histogram("quire_batch_seconds").labels(agent)
        self._age = figures.histogram("quire_message_age_seconds").labels(agent)
        figures.counter("quire_faults_total")

    @contextmanager
    def timed(self, first: Incoming, clock: Clock) -> Generator[None]:
        """One attempt at the batch that begins with this message; it counts when it works."""
        began = perf_counter()
        yield
        self._seconds.observe(perf_counter() - began)
        if first.message is not None:
            self._age.observe(max(0.0, (clock() - first.message.time).total_seconds()))

    def dropped(self, batch: Sequence[Incoming], kept: int, missing: int) -> None:
        """What left no trace: messages known already, and those before which one is missing."""
        if missing:
            self._messages.labels(self._agent, "missing").inc(missing)
        if dropped := len(batch) - kept - missing:
            repeated = dropped - sum(one.kind == NUDGE for one in batch)
            self._messages.labels(self._agent, "repeated").inc(repeated)

    def committed(self, decided: Decided) -> None:
        results = Counter(outcome.result for outcome in (*decided.outcomes, *decided.resettled))
        for result, count in results.items():
            self._messages.labels(self._agent, result).inc(count)


def counted(agent: str, outside: Outside) -> Outside:
    """The same, with each answer counted and timed."""
    figures = of_this_process()
    seconds = figures.histogram("quire_outside_seconds").labels(agent)
    answers = figures.counter("quire_outside_answers_total")

    async def perform(request: Any) -> Any:
        began = perf_counter()
        answer = await outside.perform(request)
        seconds.observe(perf_counter() - began)
        answers.labels(agent, answer.outcome).inc()
        return answer

    return replace(outside, perform=perform)
