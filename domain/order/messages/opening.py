"""Facts from the order that was placed to the one that is confirmed, held or turned away."""

from typing import ClassVar

from domain.message import Charge, Event, Line, Money, Parcel, Shortage
from domain.order.messages.commands import Packing, ShortagePolicy


class OrderEvent(Event, frozen=True):
    order_id: str

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class OrderPlaced(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.placed.v1"
    lines: tuple[Line, ...]
    total: Money
    payment_method: str = ""
    customer_id: str = ""
    contact: str = ""
    language: str = "en"
    charges: tuple[Charge, ...] = ()
    shortage: ShortagePolicy = "reject"
    packing: Packing = "parcels"


class OrderRejected(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.rejected.v1"
    reason: str
    shortages: tuple[Shortage, ...] = ()
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class PaymentRequested(OrderEvent, frozen=True):
    """Stock is reserved; attempt number `attempt` to authorise `amount` begins.

    `replaces`: for what is owed; whatever an earlier authorisation still holds is let go first.
    `at_checkout`: the customer pays again, and is there, though money may have been held before.
    """

    type: ClassVar[str] = "quire.order.payment_requested.v1"
    attempt: int
    amount: Money
    payment_method: str
    replaces: bool = False
    at_checkout: bool = False


class PaymentActionRequired(OrderEvent, frozen=True):
    """The customer has to authenticate (3-D Secure) at `url`.

    `off_session` when the order was confirmed before: nobody is at the checkout to see that.
    `owed` when it is for parcels that left.
    """

    type: ClassVar[str] = "quire.order.payment_action_required.v1"
    attempt: int
    url: str
    amount: Money | None = None
    off_session: bool = False
    owed: bool = False
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class PaymentAttemptFailed(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.payment_attempt_failed.v1"
    attempt: int
    code: str
    retryable: bool


class PaymentWindowEnded(OrderEvent, frozen=True):
    """The time for all attempts is up while one is under way: it is the last."""

    type: ClassVar[str] = "quire.order.payment_window_ended.v1"


class OrderConfirmed(OrderEvent, frozen=True):
    """`authorized` is what the payment holds; `parcels` is how it will be shipped."""

    type: ClassVar[str] = "quire.order.confirmed.v1"
    authorized: Money
    parcels: tuple[Parcel, ...]
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderHeld(OrderEvent, frozen=True):
    """`authorized` when the money is there: the order is confirmed as soon as it is released."""

    type: ClassVar[str] = "quire.order.held.v1"
    reason: str
    shortages: tuple[Shortage, ...] = ()
    authorized: Money | None = None


class HoldReleased(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.hold_released.v1"
    reason: str = ""
