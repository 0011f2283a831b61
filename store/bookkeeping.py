"""Keeping the books over a whole snapshot of the log, as one piece of work."""

from typing import NamedTuple

from store.invariants import Books, Finding, Ledger
from store.rawlog import RawLog


class Kept(NamedTuple):
    """What the books found, and what the stock has to be."""

    findings: list[Finding]
    on_hand: dict[str, int]
    reserved: dict[str, int]


def keep_books(log: RawLog, ledger: Ledger | None, before: int) -> Kept:
    """Read the facts that matter to the invariants; `before` as in `Books.closing`."""
    books = Books()
    kinds, enter = sorted(kind.decode() for kind in books.kinds), books.enter
    for position, recorded, imported, kind, data in log.entries(0, None, kinds):
        enter(position, recorded, kind, data, imported)
    return close_books(log, books, ledger, before)


def close_books(log: RawLog, books: Books, ledger: Ledger | None, before: int) -> Kept:
    """What books tell in which all of the log was entered."""
    findings = [*books.findings, *books.closing(before)]
    closed = books.closed(before)
    findings += [
        Finding("closed_with_timer", 0, stream, name)
        for stream, name in log.timers()
        if not stream.startswith("notification-") and order_of(stream) in closed
    ]
    if ledger is not None:
        findings += books.differences(ledger, before)
    return Kept(findings, books.on_hand, books.reserved)


def order_of(stream: str) -> str:
    """The order of an order's, payment's, reservation's or parcel's stream."""
    category, _, rest = stream.partition("-")
    return rest.rpartition(".")[0] if category == "shipment" else rest
