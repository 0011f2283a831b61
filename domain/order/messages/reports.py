"""What the other contexts tell an order. The names are the wire format."""

from typing import ClassVar, Literal

from domain.message import LineQuantity, Money, Shortage
from domain.order.messages.commands import OrderCommand


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
    amount: Money | None = None


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
    """`unsure`: the provider may hold the money all the same, and is asked to let it go."""

    kind: ClassVar[str] = "quire.order.record_authorization_expired"
    unsure: bool = False


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
    unsellable: tuple[LineQuantity, ...] = ()
