"""Facts from the first parcel that leaves to the order that is complete."""

from typing import ClassVar, Literal

from domain.message import LineQuantity, Money
from domain.order.messages.opening import OrderEvent


class OrderShipped(OrderEvent, frozen=True):
    """A parcel was handed over; `amount` is what is captured for it.

    `last` when nothing is left to ship, so that no more is taken of this authorisation.
    """

    type: ClassVar[str] = "quire.order.shipped.v1"
    parcel_id: str
    lines: tuple[LineQuantity, ...]
    amount: Money
    last: bool = False
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderPaid(OrderEvent, frozen=True):
    """Money was taken for a parcel."""

    type: ClassVar[str] = "quire.order.paid.v1"
    parcel_id: str
    amount: Money


class OrderPaymentFailed(OrderEvent, frozen=True):
    """A capture or a refund failed for good: its amount is owed until a person settles it."""

    type: ClassVar[str] = "quire.order.payment_failed.v1"
    step: Literal["capture", "refund"]
    subject: str
    code: str
    amount: Money | None = None


class OrderAuthorizedAnew(OrderEvent, frozen=True):
    """The money that was asked for anew is held."""

    type: ClassVar[str] = "quire.order.authorized_anew.v1"
    attempt: int
    amount: Money


class AuthorizationNotNeeded(OrderEvent, frozen=True):
    """Something is held still, and nothing is left that could be charged: it is let go."""

    type: ClassVar[str] = "quire.order.authorization_not_needed.v1"


class OrderPaymentRetried(OrderEvent, frozen=True):
    """What failed `again` times is tried again; `last` when nothing else is to be captured."""

    type: ClassVar[str] = "quire.order.payment_retried.v1"
    step: Literal["capture", "refund"]
    subject: str
    amount: Money
    again: int
    last: bool = False


class OrderWrittenOff(OrderEvent, frozen=True):
    """A person let go what is owed: `amount` by the customer, `refunds` to the customer.

    The first is not asked for any more, the second was given back by other means. `number` counts
    the times, from 1.
    """

    type: ClassVar[str] = "quire.order.written_off.v1"
    amount: Money
    refunds: Money
    reason: str = ""
    number: int = 1
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderRefunded(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.refunded.v1"
    refund_id: str
    amount: Money
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderDelivered(OrderEvent, frozen=True):
    """`complete` when no parcel is on its way any more: the return window begins."""

    type: ClassVar[str] = "quire.order.delivered.v1"
    parcel_id: str
    complete: bool
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class OrderParcelLost(OrderEvent, frozen=True):
    """`refund` is the parcel's share, named `refund_id`."""

    type: ClassVar[str] = "quire.order.parcel_lost.v1"
    parcel_id: str
    cause: Literal["lost", "returned_to_sender"]
    lines: tuple[LineQuantity, ...]
    refund: Money
    refund_id: str
    complete: bool


class ReturnRequested(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.return_requested.v1"
    return_no: int
    lines: tuple[LineQuantity, ...]
    reason: str = ""


class ReturnApproved(OrderEvent, frozen=True):
    """`awaited` when the order stays open for it, so that it ends if the goods never come."""

    type: ClassVar[str] = "quire.order.return_approved.v1"
    return_no: int
    lines: tuple[LineQuantity, ...]
    awaited: bool = False


class ReturnRefused(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.return_refused.v1"
    return_no: int
    reason: str = ""


class ReturnSettled(OrderEvent, frozen=True):
    """The goods came back: `refund` is owed under `refund_id`, `lines` go back on the shelf, but
    for what of them is `unsellable`.

    `waived` is what the customer had not paid for them and does not owe any more.
    """

    type: ClassVar[str] = "quire.order.return_settled.v1"
    return_no: int
    lines: tuple[LineQuantity, ...]
    refund: Money
    refund_id: str
    waived: Money | None = None
    unsellable: tuple[LineQuantity, ...] = ()


class ReturnWindowEnded(OrderEvent, frozen=True):
    """The window is over while a return or money is still open: completed with the last of them.

    `reason` is `payment_failed` when a person has to settle what is owed.
    """

    type: ClassVar[str] = "quire.order.return_window_ended.v1"
    reason: str = ""


class OrderCompleted(OrderEvent, frozen=True):
    """`written_off` is what was never paid and was let go by a person."""

    type: ClassVar[str] = "quire.order.completed.v1"
    written_off: Money | None = None
