"""Reading the whole log again: every hash, every version, every seal, every invariant."""

import gc
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from time import perf_counter, time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.catalog import EVENTS
from store.codec import UPCASTERS
from store.invariants import Books, Finding, Paid
from store.rawlog import Raw, RawLog
from store.sealcheck import SealCheck

_ENOUGH = 1_000  # findings; what comes after is counted only
_NO_CAUSE = bytes(16)


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
) -> Report:
    """Check one snapshot of the log.

    Without `key` the seals' signatures are a finding. What may still be under way, closed orders
    and the provider's ledger, is asked only of orders untouched for `settle_seconds`.
    """
    report = Report()
    started = perf_counter()
    before = int((time() - settle_seconds) * 1_000_000)
    books = Books()
    chains: dict[str, tuple[int, bytes]] = {}
    with RawLog(dsn) as log, _no_garbage():
        seals = SealCheck(key, log.sealed_to, report.add)
        for after, up_to in log.ranges():
            report.events += _check(log.rows(after, up_to), chains, books, seals, report)
            seals.check(log.seals(after, up_to))
        seals.check(log.seals(log.head, None))
        report.seals, report.sealed_to = seals.number, seals.sealed_to
        for finding in [*books.findings, *books.closing(before)]:
            report.add(finding)
        _compare_stock(log, books, chains, report)
        closed = books.closed(before)
        for stream, name in log.timers():
            if stream.partition("-")[0] != "notification" and _order_of(stream) in closed:
                report.add(Finding("closed_with_timer", 0, stream, name))
    if ledger is not None:
        for finding in books.differences(ledger, before):
            report.add(finding)
    report.seconds = perf_counter() - started
    return report


def _check(
    rows: Iterable[Raw],
    chains: dict[str, tuple[int, bytes]],
    books: Books,
    seals: SealCheck,
    report: Report,
) -> int:
    """One page on purpose: a call a fact less is a tenth of the time."""
    kinds, see, start, count = books.kinds, seals.see, (0, b""), 0
    for (
        position, version, id, occurred, recorded, causation, imported, link, names, data
    ) in rows:  # fmt: skip
        stream, kind, correlation, source = names.split("\t")
        known, previous = chains.get(stream, start)
        line = (
            f"{stream}\t{version}\t{kind}\t{id.hex()}\t{occurred}\t{recorded}"
            f"\t{correlation}\t{causation.hex()}\t{source}\t{imported:d}\n"
        )
        if version != known + 1:
            detail = f"version {version} follows {known}"
            report.add(Finding("version_gap", position, stream, detail))
        if sha256(previous + line.encode() + data).digest() != link:
            report.add(Finding("hash_differs", position, stream, f"version {version}, {kind}"))
        chains[stream] = (version, link)
        see(position, names, link)
        if causation == _NO_CAUSE or not correlation or not source:
            report.add(Finding("no_cause", position, stream, f"version {version}, {kind}"))
        if kind in kinds:
            books.enter(position, recorded, kind, data, imported=imported)
        elif kind not in EVENTS and kind not in UPCASTERS:
            report.add(Finding("unreadable", position, stream, f"nobody knows {kind}"))
        count += 1
    return count


def _compare_stock(
    log: RawLog, books: Books, chains: Mapping[str, tuple[int, bytes]], report: Report
) -> None:
    """Hold the stock rows against the log, both ways."""
    rows = {
        sku: (on_hand, reserved, ver, head) for sku, on_hand, reserved, ver, head in log.stock()
    }
    for sku in sorted(rows.keys() | books.on_hand.keys()):
        on_hand, reserved = books.on_hand.get(sku, 0), books.reserved.get(sku, 0)
        version, head = chains.get(f"stock-{sku}", (0, b""))
        wanted, found = (on_hand, reserved, version, head), rows.get(sku, (0, 0, 0, b""))
        if wanted[:3] != found[:3]:
            detail = (
                f"the log says {wanted[:3]}, the row says {found[:3]} (on hand, reserved, version)"
            )
            report.add(Finding("stock_differs", 0, f"stock-{sku}", detail))
        elif wanted[3] != found[3]:
            report.add(Finding("stock_differs", 0, f"stock-{sku}", "the row's hash is another one"))


def _order_of(stream: str) -> str:
    """The order of an order's, payment's, reservation's or parcel's stream."""
    category, _, rest = stream.partition("-")
    return rest.rpartition(".")[0] if category == "shipment" else rest


@contextmanager
def _no_garbage() -> Generator[None]:
    """Nothing here makes cycles, and the collector would walk every stream's entry."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
