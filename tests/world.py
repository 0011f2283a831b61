"""A small Quire in memory: streams, queues by key, a clock, timers, a provider and a carrier.

Everything that decides is the real domain; only what carries the messages is made of lists.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from domain.deadlines import Arm, Periods, deadlines
from domain.errors import Refused
from domain.fulfilment import react
from domain.inventory.decider import decider as inventory
from domain.inventory.state import Level, Reservation, Shelf, Waiting, skus_of
from domain.message import Command, Event
from domain.notification import decider as notification
from domain.notification.messages import Answered as Delivered
from domain.notification.messages import DeliveryAnswer
from domain.notification.state import State as NotificationState
from domain.notification.state import preferences_of
from domain.order.decider import decider as order
from domain.order.state import State as OrderState
from domain.payment import decider as payment
from domain.payment.messages import Answered as Charged
from domain.payment.state import State as PaymentState
from domain.shipping import decider as shipping
from domain.shipping.messages import Answered as Carried
from domain.shipping.state import State as ShippingState
from tests.outside import Carrier, Provider

START = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


DeliveryOutcome = Literal["sent", "unreachable", "failed", "suppressed"]


class Timer(NamedTuple):
    id: str
    due_at: datetime
    command: Command


class Sent(NamedTuple):
    id: str
    command: Command
    timer: tuple[str, str] | None = None


class World:
    """`outcomes` says by command id what became of it: the codes of refusals, else the facts."""

    def __init__(self, periods: Periods | None = None) -> None:
        self.periods = periods or Periods()
        self.now = START
        self.provider = Provider(lambda: self.now)
        self.carrier = Carrier()
        self.post: deque[DeliveryOutcome] = deque()
        self.handled: list[Sent] = []
        self.log: list[Event] = []
        self.queues: dict[tuple[str, str], deque[Sent]] = {}
        self.timers: dict[tuple[str, str], Timer] = {}
        self.outcomes: dict[str, str | list[Event]] = {}
        self.orders: dict[str, OrderState] = {}
        self.reservations: dict[str, Reservation] = {}
        self.payments: dict[str, PaymentState] = {}
        self.parcels: dict[str, ShippingState] = {}
        self.messages: dict[str, NotificationState] = {}
        self.levels: dict[str, Level] = {}
        self.waiting: dict[str, tuple[Waiting, ...]] = {}
        self._sent = 0

    def send(self, command: Command, command_id: str = "") -> str:
        """Puts a wish at the end of its key's queue; the same id again is a repeat."""
        self._sent += 1
        command_id = command_id or f"sent-{self._sent}"
        self._put(Sent(command_id, command))
        return command_id

    def tell(self, command: Command) -> str | list[Event]:
        """Sends a wish and lets everything that follows from it happen."""
        command_id = self.send(command)
        self.drain()
        return self.outcomes[command_id]

    def busy(self) -> list[tuple[str, str]]:
        return [name for name, queue in self.queues.items() if queue]

    def step(self, name: tuple[str, str]) -> None:
        """Handles the next message of one key."""
        sent = self.queues[name].popleft()
        if sent.id in self.outcomes:
            return
        self.handled.append(sent)
        if sent.timer is not None:
            armed = self.timers.get(sent.timer)
            if armed is None or armed.id != sent.id:
                self.outcomes[sent.id] = []
                return
            del self.timers[sent.timer]
        try:
            facts = self._decide(sent)
        except Refused as refused:
            self.outcomes[sent.id] = refused.code
            return
        self.outcomes[sent.id] = facts
        for fact in facts:
            self._record(fact)

    def repeat(self, sent: Sent) -> None:
        """What was handled before comes again, under its own id."""
        self._put(sent)

    def drain(self, choose: Callable[[int], int] = lambda _: 0) -> None:
        """Handles all that waits; `choose` picks which of n keys is next."""
        while names := self.busy():
            self.step(names[choose(len(names))])

    def tick(self, by: timedelta) -> None:
        self.now += by
        self.announce()

    def announce(self) -> None:
        """Sends what is due; it stays armed until its owner has handled it."""
        for name, timer in sorted(self.timers.items(), key=lambda item: item[1].due_at):
            if timer.due_at <= self.now:
                self._put(Sent(timer.id, timer.command, name))

    def next_due(self) -> datetime | None:
        return min((timer.due_at for timer in self.timers.values()), default=None)

    def run_out(self, most: int = 2_000) -> None:
        """Goes from deadline to deadline until nothing is waited for."""
        self.drain()
        for _ in range(most):
            due = self.next_due()
            if due is None:
                return
            self.now = max(self.now, due)
            self.announce()
            self.drain()
        raise AssertionError(f"still armed: {sorted(self.timers)[:5]}")

    def facts(self, stream: str) -> Iterator[Event]:
        return (fact for fact in self.log if fact.stream == stream)

    def _put(self, sent: Sent) -> None:
        name = (sent.command.context, sent.command.key)
        self.queues.setdefault(name, deque()).append(sent)

    def _record(self, fact: Event) -> None:
        self.log.append(fact)
        fact_id = f"fact-{len(self.log)}"
        for change in deadlines(fact, self.now, self.periods):
            if isinstance(change, Arm):
                name = (change.command.stream, change.name)
                self.timers[name] = Timer(f"{fact_id}@{change.name}", change.due_at, change.command)
            else:
                self.timers.pop((change.stream, change.name), None)
        for reaction in react(fact):
            self._put(Sent(f"{fact_id}>{reaction.command.kind}>{reaction.part}", reaction.command))

    def _decide(self, sent: Sent) -> list[Any]:
        command: Any = sent.command
        match command.context:
            case "order":
                state = self.orders.get(command.key, order.initial)
                facts = order.decide(command, state)
                self.orders[command.key] = order.fold(facts, state)
            case "inventory":
                facts = self._decide_stock(command)
            case "payment":
                facts = self._decide_payment(command, sent.id)
            case "shipping":
                facts = self._decide_shipping(command, sent.id)
            case _:
                facts = self._decide_notification(command, sent.id)
        return list(facts)

    def _decide_stock(self, command: Any) -> list[Event]:
        order_id = command.key if command.stream.startswith("reservation-") else ""
        reservation = self.reservations.get(order_id, Reservation())
        skus = skus_of(command, reservation)
        shelf = Shelf(
            reservation,
            {sku: self.levels[sku] for sku in skus if sku in self.levels},
            {sku: self.waiting[sku] for sku in skus if sku in self.waiting},
        )
        facts = inventory.decide(command, shelf)
        after = inventory.fold(facts, shelf)
        assert set(after.levels) <= skus, "a row was changed that was not locked"
        assert set(after.waiting) <= skus, "a queue was changed that was not locked"
        self.levels.update(after.levels)
        self.waiting.update(after.waiting)
        if order_id:
            self.reservations[order_id] = after.reservation
        return facts

    def _decide_payment(self, command: Any, command_id: str) -> list[Any]:
        state = self.payments.get(command.key, payment.decider.initial)
        request = payment.ask(command, state, command_id)
        wish: Any = command
        if request is not None:
            wish = Charged(command, request, self.provider.perform(request), self.now)
        facts = payment.decider.decide(wish, state)
        self.payments[command.key] = payment.decider.fold(facts, state)
        return facts

    def _decide_shipping(self, command: Any, command_id: str) -> list[Event]:
        state = self.parcels.get(command.stream, shipping.decider.initial)
        request = shipping.ask(command, state, command_id)
        wish: Any = command
        if request is not None:
            answer = self.carrier.perform(request, self.now)
            wish = Carried(command, request, answer, self.now)
        facts = shipping.decider.decide(wish, state)
        self.parcels[command.stream] = shipping.decider.fold(facts, state)
        return facts

    def _decide_notification(self, command: Any, command_id: str) -> list[Event]:
        state = self.messages.get(command.stream, notification.decider.initial)
        preferences = preferences_of(command)
        if preferences is not None:
            state = notification.decider.fold(self.facts(preferences), state)
        request = notification.ask(command, state, command_id)
        wish: Any = command
        if request is not None:
            said = self.post.popleft() if self.post else "sent"
            wish = Delivered(command, request, DeliveryAnswer(said), self.now)
        facts = notification.decider.decide(wish, state)
        self.messages[command.stream] = notification.decider.fold(facts, state)
        return facts
