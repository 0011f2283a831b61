"""The books that a second bookkeeper keeps while reading the log: DESIGN's invariants, checked.

Knows no decider on purpose: what one of them does wrong, another reading of the facts has to show.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import msgspec

from domain.inventory import messages as inventory
from domain.order import messages as order
from domain.payment import messages as payment
from store import booked
from store.booked import (
    LinesGivenUp,
    LinesOfOrder,
    MoneyOfOrder,
    MoneyOwed,
    OfOrder,
    RefundsLetGo,
    SkusOfOrder,
    StockMoved,
)
from store.codec import UPCASTERS, BadData, UnknownType, decode_event, encode


class Finding(NamedTuple):
    """What broke, where (0: nowhere in particular), and in which stream."""

    code: str
    position: int
    subject: str
    detail: str


class Paid(NamedTuple):
    """Minor units of one order, as the log has them or as the provider has them."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0


Ledger = Mapping[str, Paid | None]
"""What the provider has of each order; None where it did something too fresh to compare."""


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
    late: int = 0
    given_back: int = 0
    imported: bool = False
    closed: str = ""
    reopened: bool = False
    touched: int = 0


# How the facts of a type are read, and what is booked of them.
_Stock = tuple[Callable[[bytes], StockMoved], Callable[[StockMoved], None]]
_OfOrder = tuple[Callable[[bytes], Any], Callable[[Any, _Order], None]]


class Books:
    """Feed it every fact in order with `enter`, then ask `closing`."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.on_hand: dict[str, int] = {}
        self.reserved: dict[str, int] = {}
        self._orders: dict[str, _Order] = {}
        self._position = 0
        self._stock: dict[bytes, _Stock] = {
            inventory.StockReceived.type.encode(): (booked.stock_moved, self._received),
            inventory.StockAdjusted.type.encode(): (booked.stock_moved, self._adjusted),
            inventory.StockRestocked.type.encode(): (booked.stock_moved, self._received),
        }
        self._of_order: dict[bytes, _OfOrder] = {
            kind.type.encode(): (decode, book) for kind, decode, book in (
                (inventory.StockReserved, booked.skus_of_order, self._reserve),
                (inventory.ReservationCommitted, booked.skus_of_order, self._commit),
                (inventory.ReservationReleased, booked.skus_of_order, self._unreserve),
                (payment.PaymentAuthorized, booked.money_of_order, self._authorized),
                (payment.PaymentCaptured, booked.money_of_order, self._captured),
                (payment.PaymentRefunded, booked.money_of_order, self._refunded),
                (payment.AuthorizationCameLate, booked.money_of_order, self._came_late),
                (order.OrderWrittenOff, booked.refunds_let_go, self._let_go),
                (order.OrderPlaced, booked.lines_of_order, self._placed),
                (order.OrderLinesCancelled, booked.lines_given_up, self._lines_cancelled),
                (order.OrderShipped, booked.lines_of_order, self._shipped),
                (order.OrderParcelLost, booked.money_owed, self._owing),
                (order.ReturnRequested, booked.of_order, self._reopen),
                (order.ReturnRefused, booked.of_order, self._close_again),
                (order.ReturnSettled, booked.money_owed, self._owing),
                (order.OrderRejected, booked.of_order, partial(self._close, "rejected")),
                (order.OrderCancelled, booked.of_order, partial(self._close, "cancelled")),
                (order.OrderExpired, booked.of_order, partial(self._close, "expired")),
                (order.OrderCompleted, booked.of_order, partial(self._close, "completed")),
            )
        }  # fmt: skip
        self._old = {kind.encode() for kind in UPCASTERS}
        known = self._stock.keys() | self._of_order.keys() | self._old
        self.kinds = frozenset(known)

    def enter(self, position: int, at: int, kind: bytes, data: bytes, imported: bool) -> None:
        """Book one fact; `at` is when it was recorded, in whatever unit `closing` is asked."""
        self._position = position
        try:
            if kind in self._old:
                event = decode_event(kind.decode(), data)
                kind, data = event.type.encode(), encode(event)
            of_order = self._of_order.get(kind)
            if of_order is not None:
                decode, book = of_order
                fact = decode(data)
                known = self._orders.get(fact.order_id)
                if known is None:
                    known = self._orders[fact.order_id] = _Order()
                known.touched = at
                if imported:
                    known.imported = True
                book(fact, known)
            elif kind in self._stock:
                read, move = self._stock[kind]
                move(read(data))
        except (msgspec.DecodeError, UnicodeDecodeError, UnknownType, BadData) as wrong:
            self._find("unreadable", kind.decode(), str(wrong))

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
                owed = max(owed, known.captured - known.refunded - known.given_back)
            if owed > 0:
                yield Finding("closed_with_money_owed", 0, stream, f"{owed} in minor units")

    def closed(self, before: int) -> set[str]:
        """The orders that closed and were left alone since `before`."""
        return {key for key, one in self._orders.items() if one.closed and one.touched < before}

    def differences(self, ledger: Ledger, before: int) -> Iterable[Finding]:
        """Compare with the provider's own ledger; imported orders are not in it."""
        for order_id, known in self._orders.items():
            if known.imported or known.touched >= before:
                continue
            ours = Paid(known.authorized + known.late, known.captured, known.refunded)
            theirs = ledger.get(order_id, Paid())
            if theirs is not None and ours != theirs:
                detail = f"log {tuple(ours)}, provider {tuple(theirs)}"
                yield Finding("provider_differs", 0, f"payment-{order_id}", detail)
        for order_id in ledger.keys() - self._orders.keys():
            if ledger[order_id] is None:
                continue
            yield Finding("provider_differs", 0, f"payment-{order_id}", "the log has no such order")

    def _find(self, code: str, subject: str, detail: str) -> None:
        self.findings.append(Finding(code, self._position, subject, detail))

    def _received(self, fact: StockMoved) -> None:
        self._move(fact.sku, fact.quantity)

    def _adjusted(self, fact: StockMoved) -> None:
        self._move(fact.sku, fact.delta)

    def _move(self, sku: str, quantity: int) -> None:
        on_hand = self.on_hand[sku] = self.on_hand.get(sku, 0) + quantity
        if on_hand < self.reserved.get(sku, 0):
            self._unsound(sku)

    def _unsound(self, sku: str) -> None:
        detail = f"on hand {self.on_hand.get(sku, 0)}, reserved {self.reserved.get(sku, 0)}"
        self._find("stock_unsound", f"stock-{sku}", detail)

    def _reserve(self, fact: SkusOfOrder, known: _Order) -> None:
        active, reserved, on_hand = known.active, self.reserved, self.on_hand
        for line in fact.lines:
            sku = line.sku
            active[sku] = active.get(sku, 0) + line.quantity
            promised = reserved[sku] = reserved.get(sku, 0) + line.quantity
            if on_hand.get(sku, 0) < promised:
                self._unsound(sku)

    def _unreserve(self, fact: SkusOfOrder, known: _Order) -> None:
        active, reserved = known.active, self.reserved
        for line in fact.lines:
            sku = line.sku
            rest = active.pop(sku, 0) - line.quantity
            if rest > 0:
                active[sku] = rest
            elif rest < 0:
                self._find("not_reserved", f"reservation-{fact.order_id}", f"{-rest} of {sku}")
            promised = reserved[sku] = reserved.get(sku, 0) - line.quantity
            if promised < 0:
                self._unsound(sku)

    def _commit(self, fact: SkusOfOrder, known: _Order) -> None:
        self._unreserve(fact, known)
        on_hand = self.on_hand
        for line in fact.lines:
            left = on_hand[line.sku] = on_hand.get(line.sku, 0) - line.quantity
            if left < self.reserved[line.sku]:
                self._unsound(line.sku)

    def _authorized(self, fact: MoneyOfOrder, known: _Order) -> None:
        known.authorized += fact.amount.amount_minor

    def _captured(self, fact: MoneyOfOrder, known: _Order) -> None:
        known.captured += fact.amount.amount_minor
        if known.captured > known.authorized:
            detail = f"captured {known.captured} of {known.authorized}"
            self._find("captured_too_much", f"payment-{fact.order_id}", detail)

    def _refunded(self, fact: MoneyOfOrder, known: _Order) -> None:
        known.refunded += fact.amount.amount_minor
        known.owed -= fact.amount.amount_minor
        if known.refunded > known.captured:
            detail = f"refunded {known.refunded} of {known.captured}"
            self._find("refunded_too_much", f"payment-{fact.order_id}", detail)
        self._close_again(fact, known)

    def _came_late(self, fact: MoneyOfOrder, known: _Order) -> None:
        known.late += fact.amount.amount_minor  # the provider held it, and nothing is taken of it

    def _let_go(self, fact: RefundsLetGo, known: _Order) -> None:
        """They were given back by other means."""
        known.owed -= fact.refunds.amount_minor
        known.given_back += fact.refunds.amount_minor
        self._close_again(fact, known)

    def _placed(self, fact: LinesOfOrder, known: _Order) -> None:
        known.left = {line.line: line.quantity for line in fact.lines}

    def _lines_cancelled(self, fact: LinesGivenUp, known: _Order) -> None:
        known.owed += fact.refund.amount_minor
        self._lines_out("cancelled_too_much", fact, known)

    def _shipped(self, fact: LinesOfOrder, known: _Order) -> None:
        known.shipped = True
        self._lines_out("shipped_too_much", fact, known)

    def _lines_out(self, code: str, fact: LinesOfOrder | LinesGivenUp, known: _Order) -> None:
        left = known.left
        for line in fact.lines:
            rest = left[line.line] = left.get(line.line, 0) - line.quantity
            if rest < 0:
                detail = f"line {line.line}: {-rest} more than was left of it"
                self._find(code, f"order-{fact.order_id}", detail)

    def _owing(self, fact: MoneyOwed, known: _Order) -> None:
        known.owed += fact.refund.amount_minor

    def _close(self, how: str, _: OfOrder, known: _Order) -> None:
        known.closed = how
        known.left = {}

    def _reopen(self, _: OfOrder, known: _Order) -> None:
        """Let a completed order owe money again, until it is refunded or the return refused."""
        known.reopened = known.reopened or known.closed == "completed"
        known.closed = "" if known.reopened else known.closed

    def _close_again(self, _: OfOrder, known: _Order) -> None:
        if known.reopened and known.owed <= 0:
            known.closed = "completed"
