"""What people and timers wish of an order. The names are the wire format."""

from typing import ClassVar, Literal

from domain.message import Charge, Command, Line, LineQuantity

ShortagePolicy = Literal["reject", "backorder"]
Packing = Literal["parcels", "one"]


class OrderCommand(Command, frozen=True):
    context: ClassVar[str] = "order"
    order_id: str

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class PlaceOrder(OrderCommand, frozen=True):
    """`contact` is sealed before it gets here; `customer_id` is empty for a guest.

    Without a `payment_method` the order waits for one (PayOrder) as long as its stock is kept.
    `packing` "one" puts all of it into one parcel (imports: nobody knows how it was packed).
    """

    kind: ClassVar[str] = "quire.order.place"
    lines: tuple[Line, ...]
    currency: str
    payment_method: str = ""
    customer_id: str = ""
    contact: str = ""
    language: str = "en"
    charges: tuple[Charge, ...] = ()
    shortage: ShortagePolicy = "reject"
    packing: Packing = "parcels"


class ConfirmOrder(OrderCommand, frozen=True):
    """Confirms at once what needs no payment step of ours (imports; invoices later)."""

    kind: ClassVar[str] = "quire.order.confirm"


class CancelOrder(OrderCommand, frozen=True):
    """Takes back `lines`, or all that is left when there are none.

    Of a line that lies in several parcels the units come out of `parcels_first` before any others:
    those that the carrier refused, when the wish was made.
    """

    kind: ClassVar[str] = "quire.order.cancel"
    lines: tuple[LineQuantity, ...] = ()
    reason: str = ""
    parcels_first: tuple[str, ...] = ()


class ExpireOrder(OrderCommand, frozen=True):
    """Timer: nobody paid (cause `unpaid`), or no goods came (cause `backorder`).

    `last` when the time for all attempts is up, also for the one that is under way.
    """

    kind: ClassVar[str] = "quire.order.expire"
    cause: Literal["unpaid", "backorder"] = "unpaid"
    last: bool = False


class HoldOrder(OrderCommand, frozen=True):
    """Keeps the order from being confirmed; a confirmed one is refused: cancel it instead."""

    kind: ClassVar[str] = "quire.order.hold"
    reason: str = ""


class ReleaseHold(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.release_hold"


class PayOrder(OrderCommand, frozen=True):
    """The customer pays again after a retryable decline."""

    kind: ClassVar[str] = "quire.order.pay"
    payment_method: str


class RequestReturn(OrderCommand, frozen=True):
    """`window` "none" takes a return after the end of the window (imports, goodwill)."""

    kind: ClassVar[str] = "quire.order.request_return"
    lines: tuple[LineQuantity, ...]
    reason: str = ""
    window: Literal["open", "none"] = "open"


class ApproveReturn(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.approve_return"
    return_no: int


class RefuseReturn(OrderCommand, frozen=True):
    """Also a timer (reason `not_received`): the goods of an approved return never came."""

    kind: ClassVar[str] = "quire.order.refuse_return"
    return_no: int
    reason: str = ""


class CompleteOrder(OrderCommand, frozen=True):
    """Timer: the return window is over."""

    kind: ClassVar[str] = "quire.order.complete"


class SettleOrder(OrderCommand, frozen=True):
    """A person sees to what is owed, by the customer or to the customer.

    The failed captures and refunds are tried again; with a `payment_method` what the customer owes
    is authorised anew on that card. `write_off` lets it go: it will not be asked for any more, and
    what could not be refunded was given back by other means.
    """

    kind: ClassVar[str] = "quire.order.settle"
    payment_method: str = ""
    write_off: bool = False
    reason: str = ""
