"""The document of an order as people read it. Field names are public: the API serves them."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from domain.message import MAIN, Line, LineQuantity, Money, Shortage
from domain.order.status import rests
from domain.shipping.messages import ScanStatus


class LineView(Struct, frozen=True, omit_defaults=True):
    """`cancelled` and `returned` count units of `quantity`."""

    line: int
    sku: str
    quantity: int
    unit_price: Money
    title: str = ""
    cancelled: int = 0
    returned: int = 0

    @property
    def left(self) -> int:
        return self.quantity - self.cancelled

    @staticmethod
    def of(line: Line) -> "LineView":
        return LineView(line.line, line.sku, line.quantity, line.unit_price, line.title)


class Totals(Struct, frozen=True):
    """All in minor units of `currency`.

    `ordered` is lines + charges as placed; `cancelled` is what cancellations took off that;
    `returned` is what came back, at the price of the lines; `written_off` is what was never paid
    and is not asked for any more.
    """

    currency: str
    ordered: int
    charges: int = 0
    cancelled: int = 0
    returned: int = 0
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    written_off: int = 0


class Scan(Struct, frozen=True):
    """One report of the carrier; `time` is the carrier's."""

    time: datetime
    status: ScanStatus
    place: str = ""


class ParcelView(Struct, frozen=True):
    """What is in a parcel, whence it comes and where it was seen, as that became known; `code` says
    why the carrier refuses it."""

    parcel_id: str
    status: str
    lines: tuple[LineQuantity, ...]
    carrier: str = ""
    tracking: str = ""
    scans: tuple[Scan, ...] = ()
    warehouse: str = MAIN
    code: str = ""


class ReturnView(Struct, frozen=True):
    """A return: requested, approved, refused, settled."""

    return_no: int
    status: str
    lines: tuple[LineQuantity, ...]
    reason: str = ""
    refund: int = 0


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why an order is held, was rejected, declined, cancelled, or waits for the customer."""

    code: str
    shortages: tuple[Shortage, ...] = ()
    url: str = ""


class Owed(Struct, frozen=True):
    """A capture or refund that failed: owed by the customer, or to the customer.

    `subject` is the parcel or the refund, `amount` minor units of the order's currency.
    """

    step: Literal["capture", "refund"]
    subject: str
    amount: int
    code: str


class Note(Struct, frozen=True):
    """A message to the customer and what became of it; `code` says why it was not sent.

    One that is `deferred` is tried again at `retry_at`; by its `id` what becomes of it takes its
    place.
    """

    template: str
    channel: str
    status: str
    code: str = ""
    retry_at: datetime | UnsetType = UNSET
    id: str | UnsetType = UNSET


class OrderDocument(Struct, frozen=True):
    """All of an order but the contact; `position` is that of the last fact that shows in it."""

    order_id: str
    status: str
    fulfilment: str
    payment: str
    customer_id: str
    totals: Totals
    lines: tuple[LineView, ...]
    placed_at: datetime
    updated_at: datetime
    position: int
    imported: bool = False
    reason: Reason | None = None
    parcels: tuple[ParcelView, ...] = ()
    returns: tuple[ReturnView, ...] = ()
    notifications: tuple[Note, ...] = ()
    cancelling: dict[str, tuple[str, ...]] = {}
    """Cancellations that are not done, by number, with the parcels that have to answer."""
    owed: tuple[Owed, ...] = ()
    """What a person has to settle; the order does not close before."""
    payment_window_ended: bool = False
    """The attempt under way is the last one."""
    return_window_ended: bool = False
    """The order completes with the last thing that is open."""

    @property
    def resting(self) -> bool:
        """Nothing more happens by itself soon (DESIGN 4): a wait ends here."""
        return not self.cancelling and rests(self.status, self.payment)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(OrderDocument)


def encode(document: OrderDocument) -> str:
    """The text that is stored and served."""
    return _encoder.encode(document).decode()


def decode(text: str | bytes) -> OrderDocument:
    """The document that a stored text stands for."""
    return _decoder.decode(text)
