"""How the facts of payment, shipping and notification change the document of their order."""

from msgspec.structs import replace

from domain.notification import messages as notification
from domain.payment import messages as payment
from domain.shipping import messages as shipping
from store.views.document import Note, OrderDocument, Scan, Totals
from store.views.fold_order import change_return
from store.views.fulfilment import mark_parcel


def _money(totals: Totals) -> str:
    """The payment's status once money was taken."""
    if totals.refunded:
        return "refunded" if totals.refunded >= totals.captured else "partially_refunded"
    owed = totals.ordered - totals.cancelled
    return "captured" if totals.captured >= owed else "partially_captured"


def authorized(document: OrderDocument, event: payment.PaymentAuthorized) -> OrderDocument:
    totals = replace(document.totals, authorized=event.amount.amount_minor)
    return replace(document, totals=totals, payment="authorized")


def deferred(
    document: OrderDocument, event: payment.PaymentDeferred | payment.PaymentOutcomeUnknown
) -> OrderDocument:
    return replace(document, payment="processing") if event.step == "authorize" else document


def captured(document: OrderDocument, event: payment.PaymentCaptured) -> OrderDocument:
    totals = document.totals
    totals = replace(totals, captured=totals.captured + event.amount.amount_minor)
    return replace(document, totals=totals, payment=_money(totals))


def refunded(document: OrderDocument, event: payment.PaymentRefunded) -> OrderDocument:
    totals = document.totals
    totals = replace(totals, refunded=totals.refunded + event.amount.amount_minor)
    return replace(document, totals=totals, payment=_money(totals))


def voided(document: OrderDocument, event: payment.AuthorizationVoided) -> OrderDocument:
    """The tombstone of an authorisation that never was changes nothing."""
    amount = event.amount.amount_minor if event.amount else document.totals.authorized
    if not amount:
        return document
    totals = replace(document.totals, authorized=max(0, document.totals.authorized - amount))
    status = _money(totals) if totals.captured else "voided"
    return replace(document, totals=totals, payment=status)


def authorization_expired(
    document: OrderDocument, _: payment.AuthorizationExpired
) -> OrderDocument:
    return replace(document, payment="authorization_expired")


def created(document: OrderDocument, event: shipping.ShipmentCreated) -> OrderDocument:
    return mark_parcel(
        document,
        event.parcel_id,
        "preparing",
        lines=event.lines,
        carrier=event.carrier,
        tracking=event.tracking,
    )


_STATUS: dict[type[shipping.ScanEvent], str] = {
    shipping.ShipmentHandedOver: "handed_over",
    shipping.DeliveryAttemptFailed: "attempt_failed",
    shipping.ShipmentDelivered: "delivered",
    shipping.ShipmentLost: "lost",
    shipping.ShipmentReturned: "returned_to_sender",
}


def scanned(document: OrderDocument, event: shipping.ScanEvent) -> OrderDocument:
    """A scan that came late is kept and moves nothing."""
    before = next((p for p in document.parcels if p.parcel_id == event.parcel_id), None)
    scans = before.scans if before else ()
    moved = isinstance(event, shipping.ShipmentMoved)
    status = event.status if moved else _STATUS[type(event)]
    late = moved and (status != "in_transit" or any(scan.time > event.at for scan in scans))
    return mark_parcel(
        document,
        event.parcel_id,
        "planned" if late else status,
        scans=(*scans, Scan(event.at, status, event.place)),
    )


def parcel_cancelled(document: OrderDocument, event: shipping.ShipmentCancelled) -> OrderDocument:
    """What is left in the parcel, the order's own stream says."""
    if not event.whole:
        return document
    return mark_parcel(document, event.parcel_id, "cancelled")


def return_received(document: OrderDocument, event: shipping.ReturnReceived) -> OrderDocument:
    return change_return(document, event.return_no, status="received")


def noted(
    document: OrderDocument,
    event: notification.NotificationSent
    | notification.NotificationFailed
    | notification.NotificationSuppressed,
) -> OrderDocument:
    status = event.type.split(".")[2]
    note = Note(event.template, event.channel, status)
    return replace(document, notifications=(*document.notifications, note))
