"""What an order remembers of its own past, and the questions that its rules ask of it."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from domain.message import Line, LineQuantity, Money, Parcel
from domain.order.messages import OrderPlaced

Base = Literal[
    "none",
    "pending",
    "awaiting_stock",
    "awaiting_payment",
    "confirmed",
    "rejected",
    "cancelled",
    "expired",
    "completed",
]
ParcelStatus = Literal["planned", "shipped", "delivered", "lost", "returned_to_sender"]
ReturnStatus = Literal["requested", "approved", "refused", "settled"]
Attempt = Literal["none", "in_flight", "action", "declined", "authorized"]

CLOSED: frozenset[Base] = frozenset({"rejected", "cancelled", "expired", "completed"})


class ParcelState(Struct, frozen=True):
    """`lines` are what is (still) in it, `amount` what its hand-over charged; `paid_back` once it
    was lost or written off: nothing of it is the customer's money any more."""

    parcel_id: str
    lines: tuple[LineQuantity, ...]
    status: ParcelStatus = "planned"
    amount: int = 0
    paid_back: bool = False


class Cancellation(Struct, frozen=True):
    """An answer is awaited: from `parcels`, or from the provider when there are none."""

    lines: tuple[LineQuantity, ...]
    reason: str
    parcels: tuple[Parcel, ...] = ()
    whole: bool = False


class Return(Struct, frozen=True):
    """`paid` are the units of a settled one that the customer had paid for."""

    lines: tuple[LineQuantity, ...]
    status: ReturnStatus = "requested"
    paid: tuple[LineQuantity, ...] = ()


class State(Struct, frozen=True):
    """`awaited` names what must come back of cancellations: `release:<reference>`, `void`.

    Amounts are minor units of the order's currency. The mappings are never changed in place.
    """

    base: Base = "none"
    placed: OrderPlaced | None = None
    hold: str = ""
    # payment
    attempt: int = 0
    attempt_status: Attempt = "none"
    failed_code: str = ""
    last_attempt: bool = False
    payment_method: str = ""  # the one that was asked last
    authorized: int = 0
    voided: bool = False
    authorization_expired: bool = False
    asked: int = 0  # by hand-overs, whether it came yet or not; failed ones are taken out
    owed: Mapping[str, int] = {}  # by parcels that left and could not be charged
    written_off: int = 0
    write_offs: int = 0
    captured: int = 0
    captures_open: Mapping[str, int] = {}
    last_capture: str = ""  # the parcel whose capture leaves nothing held
    drained: bool = False  # and it was made, or what was held is let go for another hold
    promised: int = 0  # refunds, whether they are out yet or not
    refunded: int = 0
    refunds_open: Mapping[str, int] = {}
    unrefunded: Mapping[str, int] = {}  # refunds that failed: owed to the customer
    failures: Mapping[str, int] = {}  # how often each capture and refund failed
    needs_person: bool = False
    # lines
    cancelled: Mapping[int, int] = {}
    parcels: Mapping[str, ParcelState] = {}
    # cancellations, returns, the end
    cancellations: int = 0
    cancelling: Mapping[int, Cancellation] = {}
    awaited: frozenset[str] = frozenset()
    ending: str = ""
    ending_reason: str = ""
    returns: Mapping[int, Return] = {}
    window_ended: bool = False

    @property
    def order(self) -> OrderPlaced:
        assert self.placed is not None, "no order was placed here"
        return self.placed

    @property
    def closed(self) -> bool:
        return self.base in CLOSED

    @property
    def in_flight(self) -> bool:
        """The provider has been asked and has not answered."""
        return self.attempt_status == "in_flight"

    @property
    def asking(self) -> bool:
        """An attempt is under way: with the provider, or with the customer."""
        return self.attempt_status in ("in_flight", "action")

    @property
    def unshipped(self) -> bool:
        """Something of it is still in our hands."""
        return any(one.status == "planned" and one.lines for one in self.parcels.values())

    @property
    def settled(self) -> bool:
        """Nothing is on its way back, no stock, no money, no goods; and nothing is owed."""
        return not (
            self.awaited
            or self.owed
            or self.unrefunded
            or self.refunds_open
            or self.captures_open
            or self.cancelling
            or (self.base == "confirmed" and not self.ending and self.asking)
            or any(one.status in ("requested", "approved") for one in self.returns.values())
        )

    def money(self, minor: int) -> Money:
        return Money(minor, self.order.total.currency)

    @property
    def due(self) -> int:
        """What the order costs without what was cancelled."""
        if not self.cancelled:
            return self.order.total.amount_minor
        charges = sum(charge.amount.amount_minor for charge in self.order.charges)
        return max(0, value(self.order.lines, self.remaining()) + charges)

    def remaining(self) -> dict[int, int]:
        """Units of each line that are still part of the order."""
        return less({line.line: line.quantity for line in self.order.lines}, self.cancelled)

    def cancellable(self) -> dict[int, int]:
        """Units of each line that have not left and that no open cancellation takes."""
        left = self.remaining()
        for parcel in self.parcels.values():
            if parcel.status != "planned":
                left = less(left, units(parcel.lines))
        for cancellation in self.cancelling.values():
            left = less(left, units(cancellation.lines))
        return left

    def returnable(self) -> dict[int, int]:
        """Units of each line that were delivered and that no return has."""
        left = units(line for one in self._delivered() for line in one.lines)
        for one in self.returns.values():
            if one.status != "refused":
                left = less(left, units(one.lines))
        return left

    def refundable_lines(self, lines: Iterable[LineQuantity]) -> tuple[LineQuantity, ...]:
        """What of these returned `lines` was paid for and not paid back yet.

        A parcel that was found again, or whose price was written off, was not paid for; of a line
        that lies in several parcels the paid units come back first.
        """
        left = units(line for one in self._delivered() if not one.paid_back for line in one.lines)
        for one in self.returns.values():
            left = less(left, units(one.paid))
        came = units(lines)
        paid = {line: min(quantity, left.get(line, 0)) for line, quantity in came.items()}
        return named(self.order.lines, {line: n for line, n in paid.items() if n > 0})

    def _delivered(self) -> Iterable[ParcelState]:
        return (one for one in self.parcels.values() if one.status == "delivered")


def units(lines: Iterable[LineQuantity]) -> dict[int, int]:
    """Units by line number; a line named twice counts twice."""
    total: dict[int, int] = {}
    for line in lines:
        total[line.line] = total.get(line.line, 0) + line.quantity
    return total


def less(left: Mapping[int, int], taken: Mapping[int, int]) -> dict[int, int]:
    """`left` without `taken`; lines of which nothing is left drop out."""
    return {
        line: rest for line, quantity in left.items() if (rest := quantity - taken.get(line, 0)) > 0
    }


def value(lines: Iterable[Line], wanted: Mapping[int, int]) -> int:
    """What `wanted` units cost at the prices of `lines`."""
    return sum(
        line.unit_price.amount_minor * wanted[line.line] for line in lines if line.line in wanted
    )


def named(lines: Iterable[Line], wanted: Mapping[int, int]) -> tuple[LineQuantity, ...]:
    """`wanted` in the order's own order of lines."""
    return tuple(
        LineQuantity(line.line, line.sku, wanted[line.line])
        for line in lines
        if line.line in wanted
    )


def out_of(
    lines: Iterable[LineQuantity], taken: Iterable[LineQuantity]
) -> tuple[LineQuantity, ...]:
    """`lines` without the units of `taken`."""
    gone = units(taken)
    return tuple(
        LineQuantity(line.line, line.sku, rest)
        for line in lines
        if (rest := line.quantity - gone.get(line.line, 0)) > 0
    )
