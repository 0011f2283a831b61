"""Commands and events of the order. The names are the wire and storage format."""

from typing import ClassVar, Literal

from domain.message import Charge, Command, Event, Line, LineQuantity, Money, Parcel, Shortage

ShortagePolicy = Literal["reject", "backorder"]


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


class ConfirmOrder(OrderCommand, frozen=True):
    """Confirms at once what needs no payment step of ours (imports; invoices later)."""

    kind: ClassVar[str] = "quire.order.confirm"


class CancelOrder(OrderCommand, frozen=True):
    """Takes back `lines`, or all that is left when there are none."""

    kind: ClassVar[str] = "quire.order.cancel"
    lines: tuple[LineQuantity, ...] = ()
    reason: str = ""


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
    """Timer: the return window is over. `write_off`: a person lets go what was never paid."""

    kind: ClassVar[str] = "quire.order.complete"
    write_off: bool = False


class RecordStockReserved(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_stock_reserved"


class RecordStockShort(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_stock_short"
    shortages: tuple[Shortage, ...]


class RecordBackordered(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_backordered"
    shortages: tuple[Shortage, ...]


class RecordReservationReleased(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_reservation_released"
    cause: str
    reference: str = ""


class RecordPaymentAuthorized(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_payment_authorized"
    attempt: int
    amount: Money


class RecordAuthenticationRequired(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_authentication_required"
    attempt: int
    url: str


class RecordPaymentDeclined(OrderCommand, frozen=True):
    """`unsure`: the provider may hold the money all the same, so that it has to be voided."""

    kind: ClassVar[str] = "quire.order.record_payment_declined"
    attempt: int
    code: str
    retryable: bool
    unsure: bool = False


class RecordAuthorizationVoided(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_authorization_voided"


class RecordAuthorizationExpired(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_authorization_expired"


class RecordPaymentCaptured(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_payment_captured"
    parcel_id: str
    amount: Money


class RecordCaptureFailed(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_capture_failed"
    parcel_id: str
    code: str


class RecordPaymentRefunded(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_payment_refunded"
    refund_id: str
    amount: Money


class RecordRefundFailed(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_refund_failed"
    refund_id: str
    code: str


class RecordHandedOver(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_handed_over"
    parcel_id: str


class RecordDelivered(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_delivered"
    parcel_id: str


class RecordParcelLost(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_parcel_lost"
    parcel_id: str
    cause: Literal["lost", "returned_to_sender"]


class RecordShipmentCancelled(OrderCommand, frozen=True):
    """All lines of cancellation number `cancellation` that were asked of this parcel are out."""

    kind: ClassVar[str] = "quire.order.record_shipment_cancelled"
    parcel_id: str
    cancellation: int


class RecordShipmentKept(OrderCommand, frozen=True):
    """The carrier was faster: the parcel had been handed over when the cancellation came."""

    kind: ClassVar[str] = "quire.order.record_shipment_kept"
    parcel_id: str
    cancellation: int


class RecordReturnReceived(OrderCommand, frozen=True):
    kind: ClassVar[str] = "quire.order.record_return_received"
    return_no: int
    lines: tuple[LineQuantity, ...]


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


class OrderRejected(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.rejected.v1"
    reason: str
    shortages: tuple[Shortage, ...] = ()
    customer_id: str = ""
    contact: str = ""
    language: str = "en"


class PaymentRequested(OrderEvent, frozen=True):
    """Stock is reserved; attempt number `attempt` to authorise `amount` begins."""

    type: ClassVar[str] = "quire.order.payment_requested.v1"
    attempt: int
    amount: Money
    payment_method: str


class PaymentActionRequired(OrderEvent, frozen=True):
    """The customer has to authenticate (3-D Secure) at `url`."""

    type: ClassVar[str] = "quire.order.payment_action_required.v1"
    attempt: int
    url: str


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
    """A capture or a refund failed for good: a person has to look."""

    type: ClassVar[str] = "quire.order.payment_failed.v1"
    step: Literal["capture", "refund"]
    subject: str
    code: str


class OrderRefunded(OrderEvent, frozen=True):
    type: ClassVar[str] = "quire.order.refunded.v1"
    refund_id: str
    amount: Money


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
    """The goods came back: `refund` is owed under `refund_id`, `lines` go back on the shelf."""

    type: ClassVar[str] = "quire.order.return_settled.v1"
    return_no: int
    lines: tuple[LineQuantity, ...]
    refund: Money
    refund_id: str


class ReturnWindowEnded(OrderEvent, frozen=True):
    """The window is over while a return or money is still open: completed with the last of them.

    `reason` is `payment_failed` when a person has to settle what left and was not paid.
    """

    type: ClassVar[str] = "quire.order.return_window_ended.v1"
    reason: str = ""


class OrderCompleted(OrderEvent, frozen=True):
    """`written_off` is what was never paid and will not be asked for any more."""

    type: ClassVar[str] = "quire.order.completed.v1"
    written_off: Money | None = None
