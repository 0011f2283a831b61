"""How the facts of payment, shipping and notification change the document of their order."""

from datetime import datetime

from msgspec.structs import replace

from domain.notification import messages as notification
from domain.payment import messages as payment
from domain.shipping import messages as shipping
from domain.shipping.evolve import place_of, status_of
from store.views.document import Note, OrderDocument, Scan, Totals
from store.views.fold_order import change_return
from store.views.fulfilment import index_of, mark_parcel


def _money(totals: Totals) -> str:
    """The payment's status once money was taken."""
    if totals.refunded:
        return "refunded" if totals.refunded >= totals.captured else "partially_refunded"
    owed = totals.ordered - totals.cancelled
    return "captured" if totals.captured >= owed else "partially_captured"


def authorized(document: OrderDocument, event: payment.PaymentAuthorized) -> OrderDocument:
    """On top of what was taken of an earlier one."""
    held = document.totals.captured + event.amount.amount_minor
    totals = replace(document.totals, authorized=held)
    return replace(
        document, totals=totals, payment=_money(totals) if totals.captured else "authorized"
    )


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
    """The tombstone of an authorisation that never was changes nothing, nor does a late hold."""
    if event.reference:
        return document
    amount = event.amount.amount_minor if event.amount else document.totals.authorized
    if not amount:
        return document
    totals = replace(document.totals, authorized=max(0, document.totals.authorized - amount))
    status = _money(totals) if totals.captured else "voided"
    return replace(document, totals=totals, payment=status)


def authorization_expired(
    document: OrderDocument, event: payment.AuthorizationExpired
) -> OrderDocument:
    if event.reference:
        return document
    return replace(document, payment="authorization_expired")


def created(document: OrderDocument, event: shipping.ShipmentCreated) -> OrderDocument:
    return mark_parcel(
        document,
        event.parcel_id,
        "preparing",
        lines=event.lines,
        carrier=event.carrier,
        tracking=event.tracking,
        code="",
    )


def refused(document: OrderDocument, event: shipping.ShipmentRefused) -> OrderDocument:
    """A person has to ask for its label again, or to cancel it."""
    return mark_parcel(document, event.parcel_id, "refused", lines=event.lines, code=event.code)


def scanned(document: OrderDocument, event: shipping.ScanEvent) -> OrderDocument:
    """All scans are kept; the furthest says where the parcel is."""
    now = Scan(event.at, status_of(event), event.place)
    at = index_of(document, event.parcel_id)
    before = document.parcels[at].scans if at < len(document.parcels) else ()
    scans = (*before, now)
    furthest = max(scans, key=_place) if before else now
    return mark_parcel(document, event.parcel_id, furthest.status, scans=scans)


def _place(scan: Scan) -> tuple[int, datetime, bool]:
    return place_of(scan.status, scan.time)


def parcel_cancelled(document: OrderDocument, event: shipping.ShipmentCancelled) -> OrderDocument:
    """What is left in the parcel, the order's own stream says."""
    if not event.whole:
        return document
    return mark_parcel(document, event.parcel_id, "cancelled")


def return_received(document: OrderDocument, event: shipping.ReturnReceived) -> OrderDocument:
    """Goods of a return that was refused, or that nobody asked for, change nothing."""
    open_ = {one.return_no for one in document.returns if one.status in ("requested", "approved")}
    if event.return_no not in open_:
        return document
    return change_return(document, event.return_no, status="received")


def noted(
    document: OrderDocument,
    event: notification.NotificationSent
    | notification.NotificationDeferred
    | notification.NotificationFailed
    | notification.NotificationSuppressed,
) -> OrderDocument:
    """What became of a message takes the place of the try that it waited for."""
    match event:
        case notification.NotificationSent():
            note = Note(event.template, event.channel, "sent")
        case notification.NotificationFailed(code=code):
            note = Note(event.template, event.channel, "failed", code)
        case notification.NotificationSuppressed(reason=reason):
            note = Note(event.template, event.channel, "suppressed", reason)
        case notification.NotificationDeferred(code=code, retry_at=at, notification_id=id):
            note = Note(event.template, event.channel, "deferred", code, at, id)
    others = (one for one in document.notifications if one.id != event.notification_id)
    return replace(document, notifications=(*others, note))
