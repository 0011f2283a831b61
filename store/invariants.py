"""The books that a second bookkeeper keeps while reading the log: DESIGN's invariants, checked.

Knows no decider on purpose: what one of them does wrong, another reading of the facts has to show.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.inventory import messages as inventory
from domain.message import Event, LineQuantity, SkuQuantity
from domain.order import messages as order
from domain.payment import messages as payment


class Finding(NamedTuple):
    """What broke, where (0: nowhere in particular), and in which stream."""

    code: str
    position: int
    subject: str
    detail: str


class Level(NamedTuple):
    on_hand: int
    reserved: int


class Paid(NamedTuple):
    """Minor units of one order, as the log has them or as the provider has them."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0


@dataclass(slots=True)
class _Order:
    """What is known of an order; `left` (units by line) goes when it closes."""

    left: dict[int, int] = field(default_factory=dict[int, int])
    active: dict[str, int] = field(default_factory=dict[str, int])
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    owed: int = 0
    shipped: bool = False
    failed: bool = False
    imported: bool = False
    closed: str = ""
    reopened: bool = False
    touched: int = 0


class Books:
    """Feed it every fact in order with `enter`, then ask `closing`."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.stock: dict[str, Level] = {}
        self._orders: dict[str, _Order] = {}
        self._position = 0
        self._enter: dict[type[Event], Callable[[Any], None]] = {
            inventory.StockReserved: self._reserved,
            inventory.ReservationCommitted: lambda fact: self._unreserve(fact, left=True),
            inventory.ReservationReleased: lambda fact: self._unreserve(fact, left=False),
            inventory.StockReceived: lambda fact: self._move(fact.sku, fact.quantity, 0),
            inventory.StockAdjusted: lambda fact: self._move(fact.sku, fact.delta, 0),
            inventory.StockRestocked: lambda fact: self._move(fact.sku, fact.quantity, 0),
            payment.PaymentAuthorized: self._authorized,
            payment.PaymentCaptured: self._captured,
            payment.PaymentRefunded: self._refunded,
            payment.RefundFailed: self._refund_failed,
            order.OrderPlaced: self._placed,
            order.OrderLinesCancelled: self._lines_cancelled,
            order.OrderShipped: self._shipped,
            order.OrderParcelLost: self._owing,
            order.ReturnRequested: self._reopen,
            order.ReturnRefused: lambda fact: self._close_again(fact.order_id),
            order.ReturnSettled: self._owing,
            order.OrderRejected: lambda fact: self._closed(fact, "rejected"),
            order.OrderCancelled: lambda fact: self._closed(fact, "cancelled"),
            order.OrderExpired: lambda fact: self._closed(fact, "expired"),
            order.OrderCompleted: lambda fact: self._closed(fact, "completed"),
        }
        self.kinds = frozenset(kind.type for kind in self._enter)

    def enter(self, position: int, at: int, fact: Event, *, imported: bool) -> None:
        """Book one fact; `at` is when it was recorded, in whatever unit `closing` is asked."""
        book = self._enter.get(type(fact))
        if book is None:
            return
        self._position = position
        order_id = getattr(fact, "order_id", None)
        if order_id is not None and not isinstance(fact, inventory.StockEvent):
            known = self._order(order_id)
            known.touched = at
            known.imported = known.imported or imported
        book(fact)

    def closing(self, before: int) -> Iterable[Finding]:
        """Look at what must hold of closed orders, where nothing has happened since `before`."""
        for order_id, known in self._orders.items():
            if not known.closed or known.touched >= before:
                continue
            stream = f"order-{order_id}"
            if known.active:
                yield Finding("closed_with_reservation", 0, stream, str(known.active))
            owed = known.owed
            if known.closed != "completed" and not known.shipped:
                owed = max(owed, known.captured - known.refunded)
            if owed > 0 and not known.failed:
                yield Finding("closed_with_money_owed", 0, stream, f"{owed} in minor units")

    def closed(self, before: int) -> set[str]:
        """The orders that closed and were left alone since `before`."""
        return {id for id, one in self._orders.items() if one.closed and one.touched < before}

    def differences(self, ledger: Mapping[str, Paid], before: int) -> Iterable[Finding]:
        """Compare with the provider's own ledger; imported orders are not in it."""
        for order_id, known in self._orders.items():
            if known.imported or known.touched >= before:
                continue
            ours = Paid(known.authorized, known.captured, known.refunded)
            theirs = ledger.get(order_id, Paid())
            if ours != theirs:
                detail = f"log {tuple(ours)}, provider {tuple(theirs)}"
                yield Finding("provider_differs", 0, f"payment-{order_id}", detail)
        for order_id in ledger.keys() - self._orders.keys():
            yield Finding("provider_differs", 0, f"payment-{order_id}", "the log has no such order")

    def _order(self, order_id: str) -> _Order:
        known = self._orders.get(order_id)
        if known is None:
            known = self._orders[order_id] = _Order()
        return known

    def _find(self, code: str, subject: str, detail: str) -> None:
        self.findings.append(Finding(code, self._position, subject, detail))

    def _move(self, sku: str, on_hand: int, reserved: int) -> None:
        level = self.stock.get(sku, Level(0, 0))
        level = self.stock[sku] = Level(level.on_hand + on_hand, level.reserved + reserved)
        if not level.on_hand >= level.reserved >= 0:
            detail = f"on hand {level.on_hand}, reserved {level.reserved}"
            self._find("stock_unsound", f"stock-{sku}", detail)

    def _reserved(self, fact: inventory.StockReserved) -> None:
        active = self._order(fact.order_id).active
        for line in fact.lines:
            active[line.sku] = active.get(line.sku, 0) + line.quantity
            self._move(line.sku, 0, line.quantity)

    def _unreserve(
        self, fact: inventory.ReservationCommitted | inventory.ReservationReleased, *, left: bool
    ) -> None:
        active = self._order(fact.order_id).active
        for line in fact.lines:
            self._take(active, line, fact.stream)
            self._move(line.sku, -line.quantity if left else 0, -line.quantity)

    def _take(self, active: dict[str, int], line: SkuQuantity, stream: str) -> None:
        rest = active.pop(line.sku, 0) - line.quantity
        if rest > 0:
            active[line.sku] = rest
        elif rest < 0:
            self._find("not_reserved", stream, f"{-rest} of {line.sku} too many")

    def _authorized(self, fact: payment.PaymentAuthorized) -> None:
        self._order(fact.order_id).authorized += fact.amount.amount_minor

    def _captured(self, fact: payment.PaymentCaptured) -> None:
        known = self._order(fact.order_id)
        known.captured += fact.amount.amount_minor
        if known.captured > known.authorized:
            detail = f"captured {known.captured} of {known.authorized}"
            self._find("captured_too_much", fact.stream, detail)

    def _refunded(self, fact: payment.PaymentRefunded) -> None:
        known = self._order(fact.order_id)
        known.refunded += fact.amount.amount_minor
        known.owed -= fact.amount.amount_minor
        if known.refunded > known.captured:
            detail = f"refunded {known.refunded} of {known.captured}"
            self._find("refunded_too_much", fact.stream, detail)
        self._close_again(fact.order_id)

    def _refund_failed(self, fact: payment.RefundFailed) -> None:
        self._order(fact.order_id).failed = True  # a person looks at it

    def _placed(self, fact: order.OrderPlaced) -> None:
        self._order(fact.order_id).left = {line.line: line.quantity for line in fact.lines}

    def _lines_cancelled(self, fact: order.OrderLinesCancelled) -> None:
        self._order(fact.order_id).owed += fact.refund.amount_minor
        self._lines_out(fact.order_id, fact.lines, "cancelled_too_much", fact.stream)

    def _shipped(self, fact: order.OrderShipped) -> None:
        self._order(fact.order_id).shipped = True
        self._lines_out(fact.order_id, fact.lines, "shipped_too_much", fact.stream)

    def _lines_out(
        self, order_id: str, lines: Iterable[LineQuantity], code: str, stream: str
    ) -> None:
        left = self._order(order_id).left
        for line in lines:
            rest = left.get(line.line, 0) - line.quantity
            left[line.line] = rest
            if rest < 0:
                self._find(code, stream, f"line {line.line}: {-rest} more than was left of it")

    def _owing(self, fact: order.OrderParcelLost | order.ReturnSettled) -> None:
        self._order(fact.order_id).owed += fact.refund.amount_minor

    def _closed(self, fact: order.OrderEvent, how: str) -> None:
        known = self._order(fact.order_id)
        known.closed = how
        known.left = {}

    def _reopen(self, fact: order.ReturnRequested) -> None:
        """Let a completed order owe money again, until it is refunded or the return refused."""
        known = self._order(fact.order_id)
        known.reopened = known.reopened or known.closed == "completed"
        known.closed = "" if known.reopened else known.closed

    def _close_again(self, order_id: str) -> None:
        known = self._order(order_id)
        if known.reopened and known.owed <= 0:
            known.closed = "completed"
