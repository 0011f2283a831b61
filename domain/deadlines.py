"""Which fact starts a deadline and which one ends it. The timer's row is (stream, name)."""

# ruff: noqa: ARG001 - the table fixes the parameters

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.message import Command, Event
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.shipping import messages as shipping


@dataclass(frozen=True)
class Periods:
    """How long we wait."""

    reservation: timedelta = timedelta(minutes=15)
    reservation_in_all: timedelta = timedelta(minutes=30)
    backorder: timedelta = timedelta(days=30)
    authentication: timedelta = timedelta(minutes=10)
    authentication_off_session: timedelta = timedelta(hours=24)
    authorization: timedelta = timedelta(days=7)
    renew_before: timedelta = timedelta(hours=12)
    return_window: timedelta = timedelta(days=30)


class Arm(NamedTuple):
    """`command` is due at `due_at`; the same name armed again takes the place of the first."""

    command: Command
    due_at: datetime
    name: str


class Disarm(NamedTuple):
    stream: str
    name: str


Deadline = Arm | Disarm

EXPIRE = order.ExpireOrder.kind
EXPIRE_AT_LAST = f"{order.ExpireOrder.kind}/in_all"
EXPIRE_BACKORDER = f"{order.ExpireOrder.kind}/backorder"
COMPLETE = order.CompleteOrder.kind
AUTHENTICATE = payment.ExpireAuthentication.kind
RENEW = payment.RenewAuthorization.kind
POLL = shipping.PollCarrier.kind
NOTIFY = notification.RetryNotification.kind


def deadlines(event: Event, at: datetime, periods: Periods) -> list[Deadline]:
    """What `event`, recorded at `at`, starts and ends."""
    change = CHANGES.get(type(event))
    return change(event, at, periods) if change else []


def retry_name(step: payment.Step, subject: str) -> str:
    return f"{payment.RetryPayment.kind}/{step}/{subject}"


def return_name(number: int) -> str:
    return f"{order.RefuseReturn.kind}/{number}"


def _payment_requested(
    event: order.PaymentRequested, at: datetime, periods: Periods
) -> list[Deadline]:
    """The first request begins the time for all attempts; an answer may come when it is over.

    Nothing is reserved any more for one that is for what is owed.
    """
    if event.replaces:
        return []
    expire = Arm(order.ExpireOrder(event.order_id), at + periods.reservation, EXPIRE)
    if event.attempt > 1:
        return [expire]
    last = order.ExpireOrder(event.order_id, last=True)
    return [expire, Arm(last, at + periods.reservation_in_all, EXPIRE_AT_LAST)]


def _attempt_failed(
    event: order.PaymentAttemptFailed, at: datetime, periods: Periods
) -> list[Deadline]:
    """Armed again, since it may have come to nothing while the provider was being asked."""
    return [Arm(order.ExpireOrder(event.order_id), at + periods.reservation, EXPIRE)]


def _held(event: order.OrderHeld, at: datetime, periods: Periods) -> list[Deadline]:
    if event.authorized is not None:
        return [Disarm(event.stream, EXPIRE), Disarm(event.stream, EXPIRE_AT_LAST)]
    if event.reason != "backorder":
        return []
    expire = order.ExpireOrder(event.order_id, "backorder")
    return [Arm(expire, at + periods.backorder, EXPIRE_BACKORDER)]


def _hold_released(event: order.HoldReleased, at: datetime, periods: Periods) -> list[Deadline]:
    if event.reason == "backorder":
        return [Disarm(event.stream, EXPIRE_BACKORDER)]
    if event.reason == "authorization_expired":
        return [Disarm(event.stream, EXPIRE), Disarm(event.stream, EXPIRE_AT_LAST)]
    return []


def _confirmed(event: order.OrderConfirmed, at: datetime, periods: Periods) -> list[Deadline]:
    return [Disarm(event.stream, EXPIRE), Disarm(event.stream, EXPIRE_AT_LAST)]


def _lines_cancelled(
    event: order.OrderLinesCancelled, at: datetime, periods: Periods
) -> list[Deadline]:
    """With the whole order gone nothing of it is waited for any more."""
    names = (EXPIRE, EXPIRE_AT_LAST, EXPIRE_BACKORDER) if event.whole else ()
    return [*(Disarm(event.stream, name) for name in names), *_arrived(event, at, periods)]


def _closed(event: order.OrderEvent, at: datetime, periods: Periods) -> list[Deadline]:
    names = (EXPIRE, EXPIRE_AT_LAST, EXPIRE_BACKORDER, COMPLETE)
    return [Disarm(event.stream, name) for name in names]


def _window_ended(event: order.ReturnWindowEnded, at: datetime, periods: Periods) -> list[Deadline]:
    return [Disarm(event.stream, COMPLETE)]


def _arrived(
    event: order.OrderDelivered | order.OrderParcelLost | order.OrderLinesCancelled,
    at: datetime,
    periods: Periods,
) -> list[Deadline]:
    if not event.complete:
        return []
    return [Arm(order.CompleteOrder(event.order_id), at + periods.return_window, COMPLETE)]


def _return_approved(event: order.ReturnApproved, at: datetime, periods: Periods) -> list[Deadline]:
    if not event.awaited:
        return []
    refuse = order.RefuseReturn(event.order_id, event.return_no, "not_received")
    return [Arm(refuse, at + periods.return_window, return_name(event.return_no))]


def _return_ended(
    event: order.ReturnRefused | order.ReturnSettled, at: datetime, periods: Periods
) -> list[Deadline]:
    return [Disarm(event.stream, return_name(event.return_no))]


def _authorized(event: payment.PaymentAuthorized, at: datetime, periods: Periods) -> list[Deadline]:
    due = at + max(periods.authorization - periods.renew_before, periods.authorization / 2)
    return [
        Arm(payment.RenewAuthorization(event.order_id), due, RENEW),
        Disarm(event.stream, AUTHENTICATE),
        Disarm(event.stream, retry_name("authorize", str(event.attempt))),
    ]


def _authentication_required(
    event: payment.AuthenticationRequired, at: datetime, periods: Periods
) -> list[Deadline]:
    """Who is told by mail has longer than who is at the checkout."""
    expire = payment.ExpireAuthentication(event.order_id, event.attempt)
    longest = periods.authentication_off_session if event.off_session else periods.authentication
    return [
        Arm(expire, at + longest, AUTHENTICATE),
        Disarm(event.stream, retry_name("authorize", str(event.attempt))),
    ]


def _declined(event: payment.PaymentDeclined, at: datetime, periods: Periods) -> list[Deadline]:
    return [
        Disarm(event.stream, AUTHENTICATE),
        Disarm(event.stream, retry_name("authorize", str(event.attempt))),
    ]


def _asked_again(
    event: payment.PaymentDeferred | payment.PaymentOutcomeUnknown, at: datetime, periods: Periods
) -> list[Deadline]:
    retry = payment.RetryPayment(event.order_id, event.step, event.subject)
    return [Arm(retry, event.retry_at, retry_name(event.step, event.subject))]


def _captured(
    event: payment.PaymentCaptured | payment.CaptureFailed, at: datetime, periods: Periods
) -> list[Deadline]:
    answered: list[Deadline] = [Disarm(event.stream, retry_name("capture", event.parcel_id))]
    return [*answered, Disarm(event.stream, RENEW)] if event.final else answered


def _refunded(
    event: payment.PaymentRefunded | payment.RefundFailed, at: datetime, periods: Periods
) -> list[Deadline]:
    return [Disarm(event.stream, retry_name("refund", event.refund_id))]


def _nothing_held(
    event: payment.AuthorizationVoided | payment.AuthorizationExpired,
    at: datetime,
    periods: Periods,
) -> list[Deadline]:
    if event.reference:
        return [Disarm(event.stream, retry_name("void", event.reference))]
    over = [RENEW, AUTHENTICATE, retry_name("void", ""), retry_name("authorize", "renewal")]
    if isinstance(event, payment.AuthorizationExpired) and event.unsure:
        over.remove(retry_name("void", ""))  # it waits for the void of what may be held
    return [Disarm(event.stream, name) for name in over]


def _next_scan(
    event: shipping.ShipmentCreated | shipping.ShipmentDeferred | shipping.ScanEvent,
    at: datetime,
    periods: Periods,
) -> list[Deadline]:
    if event.next_poll is None:
        return []
    poll = shipping.PollCarrier(event.order_id, event.parcel_id)
    return [Arm(poll, event.next_poll, POLL)]


def _no_more_scans(event: shipping.ScanEvent, at: datetime, periods: Periods) -> list[Deadline]:
    return _next_scan(event, at, periods) or [Disarm(event.stream, POLL)]


def _shipment_refused(
    event: shipping.ShipmentRefused, at: datetime, periods: Periods
) -> list[Deadline]:
    """From here on a person says what becomes of it."""
    return [Disarm(event.stream, POLL)]


def _shipment_cancelled(
    event: shipping.ShipmentCancelled, at: datetime, periods: Periods
) -> list[Deadline]:
    return [Disarm(event.stream, POLL)] if event.whole else []


def _notify_again(
    event: notification.NotificationDeferred, at: datetime, periods: Periods
) -> list[Deadline]:
    key = event.customer_id or event.order_id
    return [Arm(notification.RetryNotification(event.notification_id, key), event.retry_at, NOTIFY)]


Change = Callable[[Any, datetime, Periods], list[Deadline]]

CHANGES: Mapping[type[Event], Change] = {
    order.PaymentRequested: _payment_requested,
    order.PaymentAttemptFailed: _attempt_failed,
    order.OrderHeld: _held,
    order.HoldReleased: _hold_released,
    order.OrderConfirmed: _confirmed,
    order.OrderLinesCancelled: _lines_cancelled,
    order.OrderCancelled: _closed,
    order.OrderExpired: _closed,
    order.OrderDelivered: _arrived,
    order.OrderParcelLost: _arrived,
    order.OrderCompleted: _closed,
    order.ReturnApproved: _return_approved,
    order.ReturnRefused: _return_ended,
    order.ReturnSettled: _return_ended,
    order.ReturnWindowEnded: _window_ended,
    payment.PaymentAuthorized: _authorized,
    payment.AuthenticationRequired: _authentication_required,
    payment.PaymentDeclined: _declined,
    payment.PaymentDeferred: _asked_again,
    payment.PaymentOutcomeUnknown: _asked_again,
    payment.PaymentCaptured: _captured,
    payment.CaptureFailed: _captured,
    payment.PaymentRefunded: _refunded,
    payment.RefundFailed: _refunded,
    payment.AuthorizationVoided: _nothing_held,
    payment.AuthorizationExpired: _nothing_held,
    shipping.ShipmentCreated: _next_scan,
    shipping.ShipmentDeferred: _next_scan,
    shipping.ShipmentHandedOver: _next_scan,
    shipping.ShipmentMoved: _next_scan,
    shipping.DeliveryAttemptFailed: _next_scan,
    shipping.ShipmentDelivered: _no_more_scans,
    shipping.ShipmentLost: _no_more_scans,
    shipping.ShipmentReturned: _no_more_scans,
    shipping.ShipmentRefused: _shipment_refused,
    shipping.ShipmentCancelled: _shipment_cancelled,
    notification.NotificationDeferred: _notify_again,
}
