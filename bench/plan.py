"""One load as it was asked for, and the wishes that it consists of."""

import os
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from bench import arrivals, profiles
from bench.profiles import Basket, Wanted
from bus.message import BENCH, Message
from domain.ids import derive
from domain.message import Line, Money
from domain.order.messages import PlaceOrder
from store.codec import encode

Entry = Literal["kafka", "http"]
Until = Literal["confirmed", "delivered"]

CUSTOMERS = 5_000
CURRENCY = "EUR"
# As long as a sealed contact. Nobody ever has the key: the bench invents no people.
_CONTACT_BYTES = 150


class Plan(msgspec.Struct, frozen=True):
    """What the loader is told. `run` makes the ids; two runs must not share one."""

    run: str
    profile: str
    rate: float
    seconds: float
    bursts: bool
    entry: Entry
    kafka: str
    url: str

    def moments(self) -> list[float]:
        """When each order comes, in seconds from the start."""
        return arrivals.poisson(self.rate, self.seconds, self.run, bursts=self.bursts)

    def wanted(self, count: int) -> Wanted:
        return profiles.wanted(self.profile, count, self.run)


class Told(msgspec.Struct, frozen=True):
    """What the loader says in the end. An order that was not accepted has an empty id."""

    orders: list[str]
    cpu_seconds: float
    late_ms: float  # how late the loader itself was, at the 99th percentile
    refused: dict[str, int]


class Request(NamedTuple):
    """A `POST /orders`: all that is written to the socket."""

    text: bytes


def messages(plan: Plan, moments: list[float], begin: datetime) -> list[Message]:
    """The wishes as the API would publish them."""
    begin_ms = int(begin.timestamp() * 1000)
    made: list[Message] = []
    for number, (at, basket) in enumerate(
        zip(moments, plan.wanted(len(moments)).baskets, strict=True)
    ):
        milliseconds = begin_ms + int(at * 1000)
        order_id = str(derive(milliseconds, f"order|bench|{plan.run}-{number}"))
        lines = tuple(
            Line(line, sku, quantity, Money(profiles.price_minor(sku), CURRENCY), f"Title of {sku}")
            for line, (sku, quantity) in enumerate(basket, 1)
        )
        command = PlaceOrder(
            order_id,
            lines,
            CURRENCY,
            payment_method="tok_approve",
            customer_id=_customer(number),
            contact="v1:" + urlsafe_b64encode(os.urandom(_CONTACT_BYTES)).decode(),
        )
        made.append(
            Message(
                id=command_id(plan.run, milliseconds, number),
                type=command.kind,
                source=BENCH,
                time=datetime.fromtimestamp(milliseconds / 1000, UTC),
                key=command.key,
                subject=command.stream,
                correlation=order_id,
                causation=None,
                data=encode(command),
            )
        )
    return made


def requests(plan: Plan, count: int) -> list[Request]:
    """The wishes as HTTP requests, each with an Idempotency-Key of its own."""
    host = plan.url.removeprefix("http://")
    return [
        request(host, f"bench-{plan.run}-{number}", basket, number)
        for number, basket in enumerate(plan.wanted(count).baskets)
    ]


def request(host: str, key: str, basket: Basket, number: int) -> Request:
    """An order of this basket, by the customer whose turn it is at this number."""
    body = msgspec.json.encode(
        {
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in basket],
            "payment_method": "tok_approve",
            "customer_id": _customer(number),
            "contact": {
                "name": "A. Reader",
                "email": f"reader-{number % CUSTOMERS}@example.org",
                "address": "1 Example Street, Exampleton",
            },
        }
    )
    head = (
        f"POST /orders HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Request(head.encode() + body)


def command_id(run: str, milliseconds: int, number: int) -> UUID:
    return derive(milliseconds, f"bench|{run}|{number}")


def _customer(number: int) -> str:
    return f"bench-customer-{number % CUSTOMERS}"
