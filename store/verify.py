"""Reading the whole log again: every hash, every version, every seal, every invariant.

A large log is read by several processes: each checks ranges of it, one keeps the books. All of
them see the same snapshot.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from os import cpu_count
from time import perf_counter, time
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from store.bookkeeping import Kept, keep_books
from store.chaincheck import Part, check_range
from store.invariants import Finding, Paid
from store.rawlog import RawLog

SMALL = 200_000  # positions; below that other processes would only cost their start
_ENOUGH = 1_000  # findings; what comes after is counted only

T = TypeVar("T")
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
    ledger: Mapping[str, Paid] | None = None,
    settle_seconds: float = 60,
    small: int = SMALL,
) -> Report:
    """Check one snapshot of the log.

    Without `key` the seals' signatures are a finding. What may still be under way, closed orders
    and the provider's ledger, is asked only of orders untouched for `settle_seconds`.
    """
    report = Report()
    started = perf_counter()
    before = int((time() - settle_seconds) * 1_000_000)
    raw_key = key.public_bytes_raw() if key is not None else None
    with RawLog(dsn) as log, _workers(parallel=log.head > small) as submit:
        kept = submit(keep_books, dsn, log.snapshot, ledger, before)
        parts = [
            submit(check_range, dsn, log.snapshot, raw_key, after, up_to)
            for after, up_to in log.ranges()
        ]
        chains = _join((part() for part in parts), report)
        books: Kept = kept()
        for finding in books.findings:
            report.add(finding)
        _compare_stock(log, books, chains, report)
    report.seconds = perf_counter() - started
    return report


def _join(parts: Iterable[Part], report: Report) -> dict[str, tuple[int, bytes]]:
    """Put the chains of the ranges together: each goes on where the one before ended."""
    chains: dict[str, tuple[int, bytes]] = {}
    for part in parts:
        again = chains.keys() & part.heads.keys()
        for first in part.firsts:
            known, previous = chains.get(first.stream, (0, b""))
            if first.version != known + 1:
                detail = f"version {first.version} follows {known}"
                report.add(Finding("version_gap", first.position, first.stream, detail))
            if sha256(previous + first.hashed).digest() != first.link:
                detail = f"version {first.version}"
                report.add(Finding("hash_differs", first.position, first.stream, detail))
            again.discard(first.stream)
        for stream in again:
            report.add(Finding("version_gap", part.after + 1, stream, "it begins a second time"))
        chains.update(part.heads)
        for finding in part.findings:
            report.add(finding)
        report.events += part.events
        if part.seals:
            report.seals += part.seals
            report.sealed_to = part.sealed_to
    return chains


def _compare_stock(
    log: RawLog, books: Kept, chains: Mapping[str, tuple[int, bytes]], report: Report
) -> None:
    """Hold the stock rows against the log, both ways."""
    rows = {sku: tuple(rest) for sku, *rest in log.stock()}
    for sku in sorted(rows.keys() | books.on_hand.keys()):
        version, head = chains.get(f"stock-{sku}", (0, b""))
        wanted = (books.on_hand.get(sku, 0), books.reserved.get(sku, 0), version)
        *found, row_head = rows.get(sku, (0, 0, 0, b""))
        if wanted != tuple(found):
            detail = f"on hand, reserved, version: the log says {wanted}, the row {tuple(found)}"
            report.add(Finding("stock_differs", 0, f"stock-{sku}", detail))
        elif head != row_head:
            report.add(Finding("stock_differs", 0, f"stock-{sku}", "the row's hash is another one"))


@contextmanager
def _workers(*, parallel: bool) -> Generator[Submit]:
    """Give what starts a piece of work and promises its result; here it is done when asked for."""
    if not parallel:
        yield _here
        return
    # One more than there are processors: Postgres and the pipe make each wait now and then.
    count = max(2, (cpu_count() or 1)) + 1
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:

        def submit(work: Callable[..., T], *arguments: Any) -> Callable[[], T]:
            future: Future[T] = pool.submit(work, *arguments)
            return future.result

        yield submit


def _here(work: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    return lambda: work(*arguments)
