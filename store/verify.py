"""Reading the whole log again: every hash, every version, every seal, every invariant.

One process does it all in one pass. With more than two processors a large log is read by several:
one keeps the books, others check ranges of the log. All of them see the same snapshot.
"""

import gc
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from time import perf_counter, time
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from store.bookkeeping import Kept, close_books, keep_books
from store.chaincheck import Heads, Part, check_range
from store.invariants import Books, Finding, Ledger
from store.processes import CONTEXT, ProcessLost, processors
from store.rawlog import RawLog, no_garbage

SMALL = 200_000  # positions; below that other processes would only cost their start
_ENOUGH = 1_000  # findings; what comes after is counted only

T = TypeVar("T")

_opened: list[RawLog] = []  # in a worker process: its own

Submit = Callable[..., Callable[[], Any]]


@dataclass
class Report:
    """What `quire audit verify` prints."""

    events: int = 0
    seals: int = 0
    sealed_to: int = 0
    seconds: float = 0.0
    more: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def events_per_s(self) -> float:
        return round(self.events / self.seconds, 1) if self.seconds else 0.0

    @property
    def first_bad_position(self) -> int | None:
        return min((one.position for one in self.findings if one.position), default=None)

    def add(self, finding: Finding) -> None:
        if len(self.findings) < _ENOUGH:
            self.findings.append(finding)
        else:
            self.more += 1


def verify(
    dsn: str,
    key: Ed25519PublicKey | None,
    *,
    ledger: Ledger | None = None,
    settle_seconds: float = 60,
    processes: int | None = None,
) -> Report:
    """Check one snapshot of the log.

    Without `key` the seals' signatures are a finding. What may still be under way, closed orders
    and the provider's ledger, is asked only of orders untouched for `settle_seconds`. `processes`
    is chosen by the processors and the size of the log. Raises ProcessLost.
    """
    report = Report()
    started = perf_counter()
    before = int((time() - settle_seconds) * 1_000_000)
    raw_key = key.public_bytes_raw() if key is not None else None
    with no_garbage(), RawLog(dsn) as log:
        many = _worth(log) if processes is None else processes
        if many > 1:
            with _workers(dsn, log.snapshot, many) as there:
                kept = there(keep_books, ledger, before)
                parts = [there(check_range, raw_key, *ends) for ends in log.ranges()]
                chains = _join((part() for part in parts), report)
                books: Kept = kept()
        else:
            open_books = Books()
            ranges = (check_range(log, raw_key, *ends, open_books) for ends in log.ranges())
            chains = _join(ranges, report)
            books = close_books(log, open_books, ledger, before)
        for finding in books.findings:
            report.add(finding)
        for position, stream in log.before_the_first():
            detail = "the log begins at 1: relay, views and seals never see this fact"
            report.add(Finding("position_before_the_first", position, stream, detail))
        _compare_stock(log, books, chains, report)
    report.seconds = perf_counter() - started
    return report


def _worth(log: RawLog) -> int:
    """How many processes: Postgres and one of ours are enough for two processors."""
    return processors() if log.head > SMALL and processors() > 2 else 1


def _join(parts: Iterable[Part], report: Report) -> Heads:
    """Put the chains of the ranges together: each goes on where the one before ended."""
    chains: Heads = {}
    for part in parts:
        again = chains.keys() & part.heads.keys()
        for first in part.firsts:
            known, previous = chains.get(first.stream, (0, b""))
            if first.version != known + 1:
                detail = f"version {first.version} follows {known}"
                report.add(Finding("version_gap", first.position, first.stream.decode(), detail))
            if sha256(previous + first.hashed).digest() != first.link:
                detail = f"version {first.version}"
                report.add(Finding("hash_differs", first.position, first.stream.decode(), detail))
            again.discard(first.stream)
        for stream in again:
            detail = "it begins a second time"
            report.add(Finding("version_gap", part.after + 1, stream.decode(), detail))
        chains.update(part.heads)
        for finding in part.findings:
            report.add(finding)
        report.events += part.events
        if part.seals:
            report.seals += part.seals
            report.sealed_to = part.sealed_to
    return chains


def _compare_stock(log: RawLog, books: Kept, chains: Heads, report: Report) -> None:
    """Hold the stock rows against the log, both ways."""
    rows = {sku: tuple(rest) for sku, *rest in log.stock()}
    for sku in sorted(rows.keys() | books.on_hand.keys()):
        version, head = chains.get(b"stock-%b" % sku.encode(), (0, b""))
        wanted = (books.on_hand.get(sku, 0), books.reserved.get(sku, 0), version)
        *found, row_head = rows.get(sku, (0, 0, 0, b""))
        if wanted != tuple(found):
            detail = f"on hand, reserved, version: the log says {wanted}, the row {tuple(found)}"
            report.add(Finding("stock_differs", 0, f"stock-{sku}", detail))
        elif head != row_head:
            report.add(Finding("stock_differs", 0, f"stock-{sku}", "the row's hash is another one"))


@contextmanager
def _workers(dsn: str, snapshot: str, count: int) -> Generator[Submit]:
    """Give one that promises the result of a piece of work that another process does meanwhile."""
    pool = ProcessPoolExecutor(count, CONTEXT, initializer=_open, initargs=(dsn, snapshot))
    with _none_lost(), pool:

        def there(work: Callable[..., T], *arguments: Any) -> Callable[[], T]:
            future: Future[T] = pool.submit(_there, work, *arguments)
            return future.result

        yield there


@contextmanager
def _none_lost() -> Generator[None]:
    try:
        yield
    except BrokenProcessPool as gone:
        told = "a process that read the log ended; nothing is known of the log"
        raise ProcessLost(told) from gone


def _open(dsn: str, snapshot: str) -> None:
    """Begin the life of a worker: its own connection to the same snapshot, till it ends."""
    gc.disable()
    _opened.append(RawLog(dsn, snapshot=snapshot).__enter__())


def _there(work: Callable[..., T], *arguments: Any) -> T:
    return work(_opened[0], *arguments)
