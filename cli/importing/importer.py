"""What an invoice of the past becomes: receipts, an order, its hand-over an hour later, returns."""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from cli.importing.history import SOURCE, History
from cli.importing.invoices import Invoice, Month, month, refuse
from cli.importing.reader import Line, Reject
from cli.importing.sold import SoldGoods, by_order
from cli.importing.totals import Totals
from domain.errors import Refused
from domain.inventory.messages import AdjustStock, ReceiveStock
from domain.message import Charge, LineQuantity, Money
from domain.message import Line as OrderLine
from domain.order import messages as order

HAND_OVER = timedelta(hours=1)  # after that a cancellation is a return
_PREFIX = "uci-"


class Importer:
    """Handles invoices in the order of the file; `done` are those of earlier imports."""

    def __init__(self, history: History, needs: Counter[tuple[Month, str]]) -> None:
        self.history = history
        self.sold = SoldGoods()
        self.done: set[str] = set()
        self.totals = Totals()
        self.rejects: list[Reject] = []
        self._needs = needs
        self._unshipped: deque[tuple[datetime, str]] = deque()

    def know(self, order_id: str, at: datetime) -> None:
        """Go on with an order that the log has."""
        state = self.history.order(order_id)
        self.sold.add(state, at)
        if not state.closed and order_id not in self.sold.live:
            self._unshipped.append((at, order_id))

    def skus(self, invoices: Iterable[Invoice]) -> set[str]:
        """Every sku whose row these invoices may change."""
        skus = {line.code for one in invoices for line in one.lines}
        for _, order_id in self._unshipped:
            skus.update(line.sku for line in self.history.order(order_id).order.lines)
        return skus

    def skip(self, invoice: Invoice) -> None:
        """Pass an invoice that an earlier run has handled: only its needs are met."""
        for line in [*invoice.sales, *invoice.write_offs]:
            self._meet(line)

    def reject(self, reject: Reject) -> None:
        self.totals.refused(reject)
        self.rejects.append(reject)

    def handle(self, invoice: Invoice) -> None:
        """Turn an invoice into facts, once the earlier orders that are due have left."""
        self.hand_over(invoice.at)
        self.totals.lines += len(invoice.lines) + len(invoice.rejects)
        for reject in invoice.rejects:
            self.reject(reject)
        thread = _PREFIX + invoice.number
        if thread in self.done or thread in self.history.orders:
            reason = "order_is_live" if thread in self.sold.live else "already_imported"
            self.skip(invoice)
            for line in invoice.lines:
                self.reject(refuse(line, reason))
            return
        if invoice.sales:
            self._sell(invoice, thread)
        self._adjust(invoice, thread)
        if invoice.cancels:
            self._take_back(invoice, thread)

    def hand_over(self, until: datetime | None) -> None:
        """Let every order leave whose hour is over; all of them when the file has ended."""
        while self._unshipped and (until is None or self._unshipped[0][0] + HAND_OVER <= until):
            placed_at, order_id = self._unshipped.popleft()
            if self.history.order(order_id).closed:
                continue  # cancelled within the hour
            at = placed_at + HAND_OVER
            for parcel_id in self.history.order(order_id).parcels:
                self.history.play(order.RecordHandedOver(order_id, parcel_id), at, order_id)
                self.history.play(order.RecordDelivered(order_id, parcel_id), at, order_id)
            self.history.play(order.CompleteOrder(order_id), at, order_id)

    def _sell(self, invoice: Invoice, thread: str) -> None:
        command = order.PlaceOrder(
            thread,
            _order_lines(invoice.sales),
            "GBP",
            SOURCE,
            _PREFIX + invoice.customer if invoice.customer else "",
            charges=tuple(
                Charge(line.code, Money(line.price * line.quantity, "GBP"))
                for line in invoice.charges
            ),
            packing="one",
        )
        wanted = Counter[str]()
        for line in invoice.sales:
            wanted[line.code] += line.quantity
        for code, quantity in wanted.items():
            self._supply(code, quantity, invoice.at, thread)
        try:
            self.history.play(command, invoice.at, thread)
        except Refused as refused:
            for line in [*invoice.sales, *invoice.charges]:
                self.reject(refuse(line, refused.code))
            return
        self.totals.sold(invoice.sales, invoice.customer)
        self.totals.became("charge", len(invoice.charges))
        self.sold.add(self.history.order(thread), invoice.at)
        self._unshipped.append((invoice.at, thread))

    def _adjust(self, invoice: Invoice, thread: str) -> None:
        """Move stock that nobody paid for."""
        for line in invoice.receipts:
            command = ReceiveStock(line.code, line.quantity, thread)
            self.history.play(command, invoice.at, thread)
        for what, lines in (("gift", invoice.gifts), ("write_off", invoice.write_offs)):
            for line in lines:
                self._supply(line.code, abs(line.quantity), invoice.at, thread)
                reason = f"{what}: {line.title}" if line.title else what
                command = AdjustStock(line.code, -abs(line.quantity), reason)
                self.history.play(command, invoice.at, thread)
        self.totals.became("stock_in", len(invoice.receipts))
        self.totals.became("gift", len(invoice.gifts))
        self.totals.became("write_off", len(invoice.write_offs))

    def _take_back(self, invoice: Invoice, thread: str) -> None:
        self.totals.took_back(invoice.cancels)
        taken: list[tuple[str, LineQuantity]] = []
        customer = _PREFIX + invoice.customer if invoice.customer else ""
        for line in invoice.cancels:
            match = self.sold.take(customer, line.code, line.price, -line.quantity, invoice.at)
            taken += match.taken
            if match.left:
                reject = refuse(line, match.reason)
                reject = reject._replace(units=match.left, amount_minor=match.left * line.price)
                self.totals.not_matched(reject)
                self.rejects.append(reject)
        waiting = {order_id for _, order_id in self._unshipped}
        for order_id, lines in by_order(taken).items():
            if order_id in waiting:
                command = order.CancelOrder(order_id, lines, invoice.number)
            else:
                command = order.RequestReturn(order_id, lines, invoice.number, "none")
            self.history.play(command, invoice.at, thread)

    def _supply(self, code: str, quantity: int, at: datetime, thread: str) -> None:
        """Receive goods where they would run short: what the month will still take of them."""
        free = self.history.free(code)
        if free < quantity:
            lack = max(quantity, self._needs[month(at), code]) - free
            self.history.play(ReceiveStock(code, lack, thread), at, thread)
        self._needs[month(at), code] -= quantity

    def _meet(self, line: Line) -> None:
        self._needs[month(line.at), line.code] -= abs(line.quantity)


def _order_lines(sales: list[Line]) -> tuple[OrderLine, ...]:
    """Lines of the same code at the same price are one."""
    merged: dict[tuple[str, int], Line] = {}
    for line in sales:
        known = merged.get((line.code, line.price), line._replace(quantity=0))
        merged[line.code, line.price] = known._replace(
            quantity=known.quantity + line.quantity, title=known.title or line.title
        )
    return tuple(
        OrderLine(number, line.code, line.quantity, Money(line.price, "GBP"), line.title)
        for number, line in enumerate(merged.values(), 1)
    )
