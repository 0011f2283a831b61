"""The two kinds of message, commands and events, and the small values that they share."""

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

# A time that others tell us: without its zone it is bad data.
Instant = Annotated[datetime, Meta(tz=True)]


class Command(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A wish, imperative. `kind` is its name on the wire: never change one that was deployed."""

    kind: ClassVar[str]
    context: ClassVar[str]

    @property
    def key(self) -> str:
        """The one key that every command of the same stream carries."""
        raise NotImplementedError

    @property
    def stream(self) -> str:
        """The stream whose state decides it."""
        raise NotImplementedError

    @property
    def counts_as(self) -> str:
        """The name under which it counts from its first deployment on; old facts cause none."""
        return self.kind


class Event(Struct, frozen=True, omit_defaults=True):
    """A fact, past tense. `type` is the storage format: a new shape gets a new version."""

    type: ClassVar[str]

    @property
    def stream(self) -> str:
        """The stream that it is a fact of."""
        raise NotImplementedError


class Money(Struct, frozen=True):
    """An amount in minor units (pence, cents) of an ISO 4217 currency."""

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        assert self.currency == other.currency, "money of two currencies"
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + Money(-other.amount_minor, other.currency)

    def times(self, quantity: int) -> "Money":
        return Money(self.amount_minor * quantity, self.currency)


MAIN = "main"
"""The warehouse of whatever says nothing about it."""


class Line(Struct, frozen=True, omit_defaults=True):
    """One line of an order: `line` counts from 1 and names it for ever.

    `warehouse` is where the sku lay when it was ordered, as `unit_price` is what it cost then.
    """

    line: int
    sku: str
    quantity: int
    unit_price: Money
    title: str = ""
    warehouse: str = MAIN


class Charge(Struct, frozen=True):
    """What an order costs besides its lines: postage, a fee; negative for a discount."""

    code: str
    amount: Money


class LineQuantity(Struct, frozen=True):
    """So many units of one line of an order."""

    line: int
    sku: str
    quantity: int


class SkuQuantity(Struct, frozen=True):
    """So many units of one sku, whichever line wants them."""

    sku: str
    quantity: int


class Shortage(Struct, frozen=True):
    """How much of a sku was wanted and how much an order could have had."""

    sku: str
    wanted: int
    available: int


class Parcel(Struct, frozen=True, omit_defaults=True):
    """What goes into one parcel, and where it is fetched; its id is `<order>.<n>`."""

    parcel_id: str
    lines: tuple[LineQuantity, ...]
    warehouse: str = MAIN
