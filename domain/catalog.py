"""Every event and every command by the name that it has on the wire and in the log."""

from collections.abc import Iterable

from domain.inventory import messages as inventory
from domain.message import Command, Event
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.shipping import messages as shipping

CONTEXTS: tuple[str, ...] = ("order", "inventory", "payment", "shipping", "notification")
TOPICS: dict[str, str] = {context: f"quire.{context}.commands" for context in CONTEXTS}

ORDER_COMMANDS: tuple[type[Command], ...] = (
    order.PlaceOrder,
    order.ConfirmOrder,
    order.CancelOrder,
    order.ExpireOrder,
    order.HoldOrder,
    order.ReleaseHold,
    order.PayOrder,
    order.RequestReturn,
    order.ApproveReturn,
    order.RefuseReturn,
    order.CompleteOrder,
    order.SettleOrder,
    order.RecordStockReserved,
    order.RecordStockShort,
    order.RecordBackordered,
    order.RecordReservationReleased,
    order.RecordPaymentAuthorized,
    order.RecordAuthenticationRequired,
    order.RecordPaymentDeclined,
    order.RecordAuthorizationVoided,
    order.RecordAuthorizationExpired,
    order.RecordPaymentCaptured,
    order.RecordCaptureFailed,
    order.RecordPaymentRefunded,
    order.RecordRefundFailed,
    order.RecordHandedOver,
    order.RecordDelivered,
    order.RecordParcelLost,
    order.RecordShipmentCancelled,
    order.RecordShipmentKept,
    order.RecordReturnReceived,
)
INVENTORY_COMMANDS: tuple[type[Command], ...] = (
    inventory.ReserveStock,
    inventory.CommitReservation,
    inventory.ReleaseReservation,
    inventory.ReceiveStock,
    inventory.AdjustStock,
    inventory.RestockReturn,
)
PAYMENT_COMMANDS: tuple[type[Command], ...] = (
    payment.AuthorizePayment,
    payment.ConfirmAuthentication,
    payment.ExpireAuthentication,
    payment.CapturePayment,
    payment.VoidAuthorization,
    payment.RefundPayment,
    payment.RetryPayment,
    payment.RenewAuthorization,
    payment.RecordProviderNotice,
)
SHIPPING_COMMANDS: tuple[type[Command], ...] = (
    shipping.CreateShipment,
    shipping.RecordScan,
    shipping.PollCarrier,
    shipping.RetryLabel,
    shipping.CancelShipment,
    shipping.ReceiveReturn,
)
NOTIFICATION_COMMANDS: tuple[type[Command], ...] = (
    notification.Notify,
    notification.RetryNotification,
    notification.SetPreferences,
)

ORDER_EVENTS: tuple[type[Event], ...] = (
    order.OrderPlaced,
    order.OrderRejected,
    order.PaymentRequested,
    order.PaymentActionRequired,
    order.PaymentAttemptFailed,
    order.PaymentWindowEnded,
    order.OrderConfirmed,
    order.OrderHeld,
    order.HoldReleased,
    order.CancellationRequested,
    order.CancellationRefused,
    order.OrderLinesCancelled,
    order.OrderStockReleased,
    order.OrderPaymentVoided,
    order.OrderCancelled,
    order.OrderExpired,
    order.OrderShipped,
    order.OrderPaid,
    order.OrderPaymentFailed,
    order.OrderAuthorizedAnew,
    order.AuthorizationNotNeeded,
    order.OrderPaymentRetried,
    order.OrderWrittenOff,
    order.OrderRefunded,
    order.OrderDelivered,
    order.OrderParcelLost,
    order.ReturnRequested,
    order.ReturnApproved,
    order.ReturnRefused,
    order.ReturnSettled,
    order.ReturnWindowEnded,
    order.OrderCompleted,
)
INVENTORY_EVENTS: tuple[type[Event], ...] = (
    inventory.StockReserved,
    inventory.StockRanShort,
    inventory.StockBackordered,
    inventory.ReservationCommitted,
    inventory.ReservationReleased,
    inventory.StockReceived,
    inventory.StockAdjusted,
    inventory.StockRestocked,
    inventory.StockAvailable,
)
PAYMENT_EVENTS: tuple[type[Event], ...] = (
    payment.PaymentAuthorized,
    payment.AuthenticationRequired,
    payment.PaymentDeclined,
    payment.PaymentDeferred,
    payment.PaymentOutcomeUnknown,
    payment.PaymentCaptured,
    payment.CaptureFailed,
    payment.AuthorizationVoided,
    payment.PaymentRefunded,
    payment.RefundFailed,
    payment.AuthorizationExpired,
    payment.AuthorizationCameLate,
)
SHIPPING_EVENTS: tuple[type[Event], ...] = (
    shipping.ShipmentCreated,
    shipping.ShipmentDeferred,
    shipping.ShipmentRefused,
    shipping.ShipmentHandedOver,
    shipping.ShipmentMoved,
    shipping.DeliveryAttemptFailed,
    shipping.ShipmentDelivered,
    shipping.ShipmentLost,
    shipping.ShipmentReturned,
    shipping.ShipmentCancelled,
    shipping.ShipmentKept,
    shipping.ReturnReceived,
)
NOTIFICATION_EVENTS: tuple[type[Event], ...] = (
    notification.NotificationSent,
    notification.NotificationDeferred,
    notification.NotificationAlsoWanted,
    notification.NotificationFailed,
    notification.NotificationSuppressed,
    notification.PreferencesSet,
)


def _by_kind(*lists: Iterable[type[Command]]) -> dict[str, type[Command]]:
    return {one.kind: one for several in lists for one in several}


def _by_type(*lists: Iterable[type[Event]]) -> dict[str, type[Event]]:
    return {one.type: one for several in lists for one in several}


COMMANDS: dict[str, type[Command]] = _by_kind(
    ORDER_COMMANDS, INVENTORY_COMMANDS, PAYMENT_COMMANDS, SHIPPING_COMMANDS, NOTIFICATION_COMMANDS
)
KINDS: tuple[str, ...] = (*COMMANDS, *map(notification.later, notification.LATER_TEMPLATES))
"""All names under which commands count from their first deployment on."""

EVENTS: dict[str, type[Event]] = _by_type(
    ORDER_EVENTS, INVENTORY_EVENTS, PAYMENT_EVENTS, SHIPPING_EVENTS, NOTIFICATION_EVENTS
)
