"""Facts of what is taken back before it leaves, and of orders that end so."""

from typing import ClassVar, Literal

from domain.message import LineQuantity, Money, Parcel
from domain.order.messages.opening import OrderEvent


class CancellationRequested(OrderEvent, frozen=True):
    """Cancellation number `cancellation` (from 1) begins; `parcels` have to be stopped first."""

    type: ClassVar[str] = "quire.order.cancellation_requested.v1"
    cancellation: int
    lines: tuple[LineQuantity, ...]
    whole: bool
    parcels: tuple[Parcel, ...] = ()
    reason: str = ""


class CancellationRefused(OrderEvent, frozen=True):
    """The parcel had left: offer a return instead."""

    type: ClassVar[str] = "quire.order.cancellation_refused.v1"
    cancellation: int
    reason: str
    parcel_id: str = ""


class OrderLinesCancelled(OrderEvent, frozen=True):
    """The lines are out of the order; `refund` is what had been captured for them (0 if nothing).

    `void` says that the authorisation is not needed any more, `cause` why the stock goes back,
    `complete` that no parcel is on its way any more though some arrived: the return window begins.
    """

    type: ClassVar[str] = "quire.order.lines_cancelled.v1"
    cancellation: int
    lines: tuple[LineQuantity, ...]
    amount: Money
    refund: Money
    void: bool = False
    whole: bool = False
    cause: Literal["cancel", "expiry", "payment"] = "cancel"
    reason: str = ""
    parcel_id: str = ""
    complete: bool = False

    @property
    def reference(self) -> str:
        """Names what goes back because of it: the released stock and the refund."""
        if not self.parcel_id:
            return f"cancellation-{self.cancellation}"
        return f"cancellation-{self.cancellation}-{self.parcel_id}"


class OrderStockReleased(OrderEvent, frozen=True):
    """The stock of a cancellation is back on the shelf."""

    type: ClassVar[str] = "quire.order.stock_released.v1"
    reference: str


class OrderPaymentVoided(OrderEvent, frozen=True):
    """Nothing is held of the customer's money any more."""

    type: ClassVar[str] = "quire.order.payment_voided.v1"


class OrderCancelled(OrderEvent, frozen=True):
    """Stock and money are back: the order is closed."""

    type: ClassVar[str] = "quire.order.cancelled.v1"
    reason: str = ""
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderExpired(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.expired.v1"
    cause: str = "unpaid"
