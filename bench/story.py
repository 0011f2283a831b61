"""A log as a year of orders would leave it, told by the real deciders, quickly and in memory."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bench import profiles
from bench.plan import CURRENCY
from bus.message import RELAY
from domain.deadlines import Arm, Periods, deadlines
from domain.fulfilment import react
from domain.ids import derive
from domain.inventory.decider import decider as inventory
from domain.inventory.messages import ReceiveStock
from domain.inventory.state import Level, Reservation, Shelf, skus_of
from domain.message import Command, Event, Line, Money
from domain.notification import decider as notification
from domain.notification.messages import Answered as Delivered
from domain.notification.messages import DeliveryAnswer
from domain.order.decider import decider as order
from domain.order.messages import PlaceOrder
from domain.payment import decider as payment
from domain.payment.messages import Answered as Charged
from domain.payment.messages import ProviderAnswer
from domain.shipping import decider as shipping
from domain.shipping.messages import Answered as Carried
from domain.shipping.messages import CarrierAnswer, CarrierRequest, ScanStatus
from store.chain import link
from store.codec import encode
from store.log import NewEvent

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PLENTY = 1_000_000
WAY: tuple[ScanStatus, ...] = ("handed_over", "in_transit", "delivered")
_CONTACT = "v1:" + "x" * 200
_PERIODS = Periods()

Head = tuple[int, bytes]


class Story:
    """Tells one order after the other, from its placing to its delivery."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._now = BEGIN
        self._heads: dict[str, Head] = {}
        self._states: dict[str, Any] = {}
        self._orders = 0
        self.levels: dict[str, Level] = {}

    def events(self, count: int) -> Iterator[NewEvent]:
        """At least so many facts; the last order is told to its end."""
        told = 0
        baskets = profiles.wanted("store", count // 8, self._name).baskets
        for sku in sorted({sku for basket in baskets for sku, _ in basket}):
            for event in self._receipt(sku):
                told += 1
                yield event
        for basket in baskets:
            if told >= count:
                return
            for event in self._order(basket):
                told += 1
                yield event

    def head(self, stream: str) -> Head:
        """The version and hash at which a stream that several share stands."""
        return self._heads[stream]

    def _receipt(self, sku: str) -> list[NewEvent]:
        return self._decided(ReceiveStock(sku, PLENTY), self._id(f"receive|{sku}"), sku)

    def _order(self, basket: profiles.Basket) -> Iterator[NewEvent]:
        self._orders += 1
        self._now += timedelta(seconds=20)
        order_id = str(self._id(f"order|{self._orders}"))
        self._states.clear()
        for stream in [stream for stream in self._heads if not stream.startswith("stock-")]:
            del self._heads[stream]
        lines = tuple(
            Line(number, sku, quantity, Money(profiles.price_minor(sku), CURRENCY), f"Title {sku}")
            for number, (sku, quantity) in enumerate(basket, 1)
        )
        place = PlaceOrder(
            order_id,
            lines,
            CURRENCY,
            "tok_approve",
            customer_id=f"customer-{self._orders % 5000}",
            contact=_CONTACT,
        )
        queue: deque[tuple[Command, UUID]] = deque([(place, self._id(f"place|{order_id}"))])
        scans: dict[tuple[str, str], Command] = {}
        while queue or scans:
            if not queue:
                (stream, name), scan = scans.popitem()
                self._now += timedelta(milliseconds=300)
                queue.append((scan, self._id(f"timer|{stream}|{name}|{self._now}")))
            command, id = queue.popleft()
            yield from self._decided(command, id, order_id)
            for fact in self._facts:
                for change in deadlines(fact, self._now, _PERIODS):
                    if isinstance(change, Arm) and change.command.context == "shipping":
                        scans[change.command.stream, change.name] = change.command
                for at, reaction in enumerate(react(fact)):
                    origin = f"{id}|{reaction.command.kind}|{reaction.part}|{at}"
                    queue.append((reaction.command, self._id(origin)))

    def _decided(self, command: Command, id: UUID, correlation: str) -> list[NewEvent]:
        self._now += timedelta(milliseconds=7)
        self._facts = self._decide(command, str(id))
        return [
            self._recorded(fact, id, number, correlation) for number, fact in enumerate(self._facts)
        ]

    def _recorded(self, fact: Event, cause: UUID, number: int, correlation: str) -> NewEvent:
        stream = fact.stream
        version, previous = self._heads.get(stream, (0, b""))
        data, id = encode(fact), self._id(f"event|{cause}|{number}")
        hash = link(
            previous,
            stream,
            version + 1,
            fact.type,
            id,
            self._now,
            self._now,
            correlation,
            cause,
            RELAY,
            False,
            data,
        )
        self._heads[stream] = (version + 1, hash)
        return NewEvent(
            stream,
            version + 1,
            fact.type,
            id,
            self._now,
            self._now,
            correlation,
            cause,
            RELAY,
            False,
            data.decode(),
            hash,
        )

    def _decide(self, command: Any, id: str) -> list[Any]:
        match command.context:
            case "order":
                return self._folded(order, command.stream, command)
            case "inventory":
                return self._decide_stock(command)
            case "payment":
                state = self._states.get(command.stream, payment.decider.initial)
                asked = payment.ask(command, state, id)
                approved = ProviderAnswer("approved", f"sim-{id}")
                wish = command if asked is None else Charged(command, asked, approved, self._now)
                return self._folded(payment.decider, command.stream, wish)
            case "shipping":
                state = self._states.get(command.stream, shipping.decider.initial)
                asked = shipping.ask(command, state, id)
                wish = command
                if asked is not None:
                    wish = Carried(command, asked, self._carried(asked), self._now)
                return self._folded(shipping.decider, command.stream, wish)
            case _:
                state = self._states.get(command.stream, notification.decider.initial)
                asked = notification.ask(command, state, id)
                sent = DeliveryAnswer("sent")
                wish = command if asked is None else Delivered(command, asked, sent, self._now)
                return self._folded(notification.decider, command.stream, wish)

    def _decide_stock(self, command: Any) -> list[Any]:
        before = self._states.get(command.stream, Reservation())
        skus = skus_of(command, before)
        shelf = Shelf(before, {sku: self.levels[sku] for sku in skus if sku in self.levels}, {})
        facts = inventory.decide(command, shelf)
        after = inventory.fold(facts, shelf)
        self.levels.update(after.levels)
        self._states[command.stream] = after.reservation
        return facts

    def _folded(self, decider: Any, stream: str, wish: Any) -> list[Any]:
        state = self._states.get(stream, decider.initial)
        facts = decider.decide(wish, state)
        self._states[stream] = decider.fold(facts, state)
        return facts

    def _carried(self, asked: CarrierRequest) -> CarrierAnswer:
        again = self._now + timedelta(hours=6)
        if asked.step == "label":
            return CarrierAnswer("ok", "simulated", f"SIM{asked.parcel_id}", next_at=again)
        return CarrierAnswer(
            "ok",
            "simulated",
            asked.tracking,
            f"{asked.parcel_id}-{asked.scans}",
            WAY[min(asked.scans, len(WAY) - 1)],
            self._now,
            "Hub",
            again if asked.scans < len(WAY) - 1 else None,
        )

    def _id(self, origin: str) -> UUID:
        return derive(int(self._now.timestamp() * 1000), f"{self._name}|{origin}")
