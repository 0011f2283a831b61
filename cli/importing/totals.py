"""What became of the file's lines, added up; kept beside the checkpoint, so that a resumed import
ends with the same figures."""

from typing import Any

import msgspec
from msgspec import Struct, field

from cli.importing.reader import Line, Reject


class Unmatched(Struct):
    """Cancelled units for which no earlier order was found, or none at that price."""

    lines: int = 0
    units: int = 0
    minor: int = 0


class Totals(Struct):
    """Amounts are minor units. Every line is accepted, mapped or rejected."""

    orders: int = 0
    order_lines: int = 0
    units: int = 0
    gross_minor: int = 0
    cancel_invoices: int = 0
    cancel_lines: int = 0
    cancel_units: int = 0
    cancel_gross_minor: int = 0
    customers: set[str] = field(default_factory=set[str])
    skus: set[str] = field(default_factory=set[str])
    lines: int = 0
    accepted: int = 0
    mapped: dict[str, int] = field(default_factory=dict[str, int])
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    unmatched: Unmatched = field(default_factory=Unmatched)
    events: int = 0

    def sold(self, lines: list[Line], customer: str) -> None:
        """Count the goods of an order."""
        self.orders += 1
        self.order_lines += len(lines)
        self.units += sum(line.quantity for line in lines)
        self.gross_minor += sum(line.quantity * line.price for line in lines)
        self.skus.update(line.code for line in lines)
        self.accepted += len(lines)
        if customer:
            self.customers.add(customer)

    def took_back(self, lines: list[Line]) -> None:
        """Count the goods of a cancellation, whether they find their order or not."""
        self.cancel_invoices += 1
        self.cancel_lines += len(lines)
        self.cancel_units -= sum(line.quantity for line in lines)
        self.cancel_gross_minor -= sum(line.quantity * line.price for line in lines)
        self.accepted += len(lines)

    def became(self, what: str, lines: int) -> None:
        """Count lines that are no goods of an order and yet a fact."""
        if lines:
            self.mapped[what] = self.mapped.get(what, 0) + lines

    def refused(self, reject: Reject) -> None:
        self.rejected[reject.reason] = self.rejected.get(reject.reason, 0) + 1

    def not_matched(self, reject: Reject) -> None:
        """Count a cancelled line of which something found no order: no accepted one after all."""
        self.refused(reject)
        self.accepted -= 1
        self.unmatched.lines += 1
        self.unmatched.units += reject.units
        self.unmatched.minor += reject.amount_minor

    def figures(self) -> dict[str, Any]:
        """The last line of `--json`."""
        return {
            "orders": self.orders,
            "order_lines": self.order_lines,
            "units": self.units,
            "gross": self.gross_minor / 100,
            "cancel_invoices": self.cancel_invoices,
            "cancel_lines": self.cancel_lines,
            "cancel_units": self.cancel_units,
            "cancel_gross": self.cancel_gross_minor / 100,
            "customers": len(self.customers),
            "skus": len(self.skus),
            "rejected": dict(sorted(self.rejected.items())),
            "lines": self.lines,
            "accepted": self.accepted,
            "mapped": dict(sorted(self.mapped.items())),
            "unmatched": {
                "lines": self.unmatched.lines,
                "units": self.unmatched.units,
                "gross": self.unmatched.minor / 100,
            },
            "events": self.events,
        }


def load(state: bytes | None) -> Totals:
    """What an earlier run had come to."""
    return Totals() if state is None else msgspec.json.decode(state, type=Totals)


def save(totals: Totals) -> bytes:
    return msgspec.json.encode(totals)
