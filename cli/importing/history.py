"""History played through the deciders, in memory, into facts that are ready to be appended."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cli.importing.follow import follow
from domain.ids import derive
from domain.inventory import messages as inventory
from domain.inventory.decider import decider as inventory_decider
from domain.inventory.state import Level, Reservation, Shelf, skus_of
from domain.message import Command, Event, Money
from domain.order.decider import decider as order_decider
from domain.order.messages import OrderCommand
from domain.order.state import State as OrderState
from domain.payment import messages as payment
from domain.payment.decider import decider as payment_decider
from domain.payment.state import State as PaymentState
from store.chain import link
from store.codec import encode
from store.log import NewEvent, Recorded
from store.shelf import StockRow

SOURCE = "import:uci"
NOTHING = Money(0, "GBP")  # the decider takes the amount from the command
_EMPTY = StockRow(Level(0, 0), 0, b"")
_STEPS: dict[type[Command], payment.Step] = {
    payment.AuthorizePayment: "authorize",
    payment.CapturePayment: "capture",
    payment.VoidAuthorization: "void",
    payment.RefundPayment: "refund",
}


class History:
    """States of imported streams, the stock rows of the batch, and the facts not appended yet."""

    def __init__(self) -> None:
        self.facts: list[NewEvent] = []
        self.stock: dict[str, StockRow] = {}
        self.touched: set[str] = set()
        self.orders: dict[str, OrderState] = {}
        self._payments: dict[str, PaymentState] = {}
        self._reservations: dict[str, Reservation] = {}
        self._heads: dict[str, tuple[int, bytes]] = {}
        self._recorded_at: datetime | None = None

    def begin(self, stock: Mapping[str, StockRow], recorded_at: datetime) -> None:
        """Start a batch on the rows that are locked for it."""
        self.facts = []
        self.stock = dict(stock)
        self.touched = set()
        self._recorded_at = recorded_at

    def remember(self, recorded: Recorded) -> None:
        """Take in a fact that the log has already; stock levels are not asked for it."""
        self._heads[recorded.stream] = (recorded.version, recorded.hash)
        self._evolve(recorded.event)

    def order(self, order_id: str) -> OrderState:
        return self.orders.get(order_id, order_decider.initial)

    def free(self, sku: str) -> int:
        """What can be taken of a sku."""
        level = self.stock.get(sku, _EMPTY).level
        return level.on_hand - level.reserved

    def play(self, command: Command, at: datetime, thread: str) -> None:
        """Decide the command and all that followed from it; raises Refused, then nothing is."""
        waiting = deque([command])
        while waiting:
            wish = waiting.popleft()
            events = self._decide(wish, at)
            if not events:
                continue
            version = self._head(events[0].stream)[0] + 1
            origin = f"import|{thread}|{wish.kind}|{events[0].stream}|{version}"
            cause = derive(int(at.timestamp() * 1000), origin)
            for number, event in enumerate(events):
                derived = derive(self._now_ms, f"event|{cause}|{number}")
                self._append(event, at, thread, cause, derived)
            for event in events:
                waiting.extend(follow(event))

    @property
    def _now(self) -> datetime:
        assert self._recorded_at is not None, "no batch was begun"
        return self._recorded_at

    @property
    def _now_ms(self) -> int:
        return int(self._now.timestamp() * 1000)

    def _decide(self, command: Command, at: datetime) -> Sequence[Event]:
        match command:
            case OrderCommand(order_id=order_id):
                return order_decider.decide(command, self.order(order_id))
            case payment.PaymentCommand():
                return self._decide_payment(command, at)
            case _:
                return inventory_decider.decide(command, self._shelf(command))

    def _decide_payment(
        self, command: payment.PaymentCommand, at: datetime
    ) -> Sequence[payment.PaymentEvent]:
        """The provider of the past said yes to everything; its reference says who recorded that."""
        state = self._payments.get(command.order_id, payment_decider.initial)
        request = payment.ProviderRequest(
            _STEPS[type(command)], SOURCE, command.order_id, NOTHING, SOURCE, SOURCE
        )
        answer = payment.ProviderAnswer("approved", SOURCE)
        return payment_decider.decide(payment.Answered(command, request, answer, at), state)

    def _shelf(self, command: Command) -> Shelf:
        """Build the shelf of one command; those who wait live are served by live receipts."""
        reservation = self._reservations.get(command.key, Reservation())
        skus = skus_of(command, reservation)
        return Shelf(reservation, {sku: self.stock.get(sku, _EMPTY).level for sku in skus}, {})

    def _append(self, event: Event, at: datetime, thread: str, cause: UUID, id: UUID) -> None:
        stream = event.stream
        version, head = self._head(stream)
        data = encode(event)
        fields = (stream, version + 1, event.type, id, at, self._now, thread, cause, SOURCE, True)
        hashed = link(head, *fields, data)
        self.facts.append(NewEvent(*fields, data.decode(), hashed))
        self._evolve(event)
        if isinstance(event, inventory.StockEvent):
            row = self.stock[event.sku]
            self.stock[event.sku] = StockRow(row.level, version + 1, hashed)
        else:
            self._heads[stream] = (version + 1, hashed)

    def _head(self, stream: str) -> tuple[int, bytes]:
        category, _, rest = stream.partition("-")
        if category == "stock":
            row = self.stock.get(rest, _EMPTY)
            return row.version, row.head
        return self._heads.get(stream, (0, b""))

    def _evolve(self, event: Any) -> None:
        match event.stream.partition("-")[0]:
            case "order":
                before = self.order(event.order_id)
                self.orders[event.order_id] = order_decider.evolve(before, event)
            case "payment":
                state = self._payments.get(event.order_id, payment_decider.initial)
                self._payments[event.order_id] = payment_decider.evolve(state, event)
            case "reservation" | "stock":
                self._evolve_stock(event)
            case _:
                pass

    def _evolve_stock(self, event: Any) -> None:
        """Move the reservation and the rows that the batch holds."""
        lines = getattr(event, "lines", ())
        skus = [event.sku] if isinstance(event, inventory.StockEvent) else [x.sku for x in lines]
        order_id = "" if isinstance(event, inventory.StockEvent) else event.order_id
        before = Shelf(
            self._reservations.get(order_id, Reservation()),
            {sku: self.stock.get(sku, _EMPTY).level for sku in skus},
            {},
        )
        after = inventory_decider.evolve(before, event)
        if order_id:
            self._reservations[order_id] = after.reservation
        for sku, level in after.levels.items():
            self.stock[sku] = self.stock.get(sku, _EMPTY)._replace(level=level)
            self.touched.add(sku)
