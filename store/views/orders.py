"""The view of orders: one document each, folded from the facts of all contexts."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from msgspec.structs import replace
from psycopg import AsyncConnection

from domain.message import Event
from domain.notification import messages as notification
from domain.order import messages as order
from domain.payment import messages as payment
from domain.shipping import messages as shipping
from store.log import Recorded, Stamped
from store.views import fold_debts as debts
from store.views import fold_order as own
from store.views import fold_others as others
from store.views.document import OrderDocument, decode, encode
from store.views.needs import needs_of

NAME = "view/orders"
TABLE = "order_view"

# A fact that is not here shows in no document.
_STEPS: Mapping[type[Event], Callable[[OrderDocument, Any], OrderDocument]] = {
    order.OrderRejected: own.rejected,
    order.PaymentRequested: own.payment_requested,
    order.PaymentActionRequired: own.action_required,
    order.PaymentAttemptFailed: own.attempt_failed,
    order.OrderConfirmed: own.confirmed,
    order.OrderHeld: own.held,
    order.HoldReleased: own.hold_released,
    order.CancellationRequested: own.cancellation_requested,
    order.CancellationRefused: own.cancellation_refused,
    order.OrderLinesCancelled: own.lines_cancelled,
    order.OrderCancelled: own.cancelled,
    order.OrderExpired: own.expired,
    order.OrderShipped: own.shipped,
    order.PaymentWindowEnded: own.payment_window_ended,
    order.OrderPaymentFailed: debts.payment_failed,
    order.OrderPaymentRetried: debts.payment_retried,
    order.OrderAuthorizedAnew: debts.authorized_anew,
    order.OrderWrittenOff: debts.written_off,
    order.ReturnWindowEnded: debts.return_window_ended,
    order.OrderDelivered: own.delivered,
    order.OrderParcelLost: own.parcel_lost,
    order.OrderCompleted: own.completed,
    order.ReturnRequested: own.return_requested,
    order.ReturnApproved: own.return_approved,
    order.ReturnRefused: own.return_refused,
    order.ReturnSettled: own.return_settled,
    payment.PaymentAuthorized: others.authorized,
    payment.PaymentDeferred: others.deferred,
    payment.PaymentOutcomeUnknown: others.deferred,
    payment.PaymentCaptured: others.captured,
    payment.PaymentRefunded: others.refunded,
    payment.AuthorizationVoided: others.voided,
    payment.AuthorizationExpired: others.authorization_expired,
    shipping.ShipmentCreated: others.created,
    shipping.ShipmentRefused: others.refused,
    shipping.ShipmentHandedOver: others.scanned,
    shipping.ShipmentMoved: others.scanned,
    shipping.DeliveryAttemptFailed: others.scanned,
    shipping.ShipmentDelivered: others.scanned,
    shipping.ShipmentLost: others.scanned,
    shipping.ShipmentReturned: others.scanned,
    shipping.ShipmentCancelled: others.parcel_cancelled,
    shipping.ReturnReceived: others.return_received,
    notification.NotificationSent: others.noted,
    notification.NotificationDeferred: others.noted,
    notification.NotificationFailed: others.noted,
    notification.NotificationSuppressed: others.noted,
}


KINDS = [kind.type for kind in (order.OrderPlaced, *_STEPS)]
"""The types of the facts that a document is folded from."""


def order_of(event: Event) -> str | None:
    """The order whose document the fact changes."""
    kind = type(event)
    if kind in _STEPS or kind is order.OrderPlaced:
        order_id: str = getattr(event, "order_id", "")
        return order_id or None
    return None


def step(document: OrderDocument | None, event: Event, recorded: Stamped) -> OrderDocument | None:
    """The document after the fact; None as long as the order was not placed."""
    changed = change(document, event, recorded)
    if changed is None or type(event) not in _STEPS:
        return changed
    return touched(changed, recorded.occurred_at, recorded.position)


def change(document: OrderDocument | None, event: Event, recorded: Stamped) -> OrderDocument | None:
    """The first half of `step`: all but when the document was touched last."""
    how = _STEPS.get(type(event))
    if how is None:
        return own.placed(event, recorded) if isinstance(event, order.OrderPlaced) else document
    return None if document is None else how(document, event)


def touched(document: OrderDocument, occurred_at: datetime, position: int) -> OrderDocument:
    """The other half: times may go back from fact to fact, positions do not."""
    latest = max(document.updated_at, occurred_at)
    return replace(document, updated_at=latest, position=position)


def fold(document: OrderDocument | None, recorded: Recorded) -> OrderDocument | None:
    """`step` for a fact that was not decoded yet."""
    return step(document, recorded.event, recorded)


class Row(NamedTuple):
    """A row of the table, in the order of its columns."""

    order_id: str
    status: str
    customer_id: str
    placed_at: datetime
    position: int
    document: str
    needs: int


COLUMNS: LiteralString = "order_id, status, customer_id, placed_at, position, document, needs"
_UPSERT: LiteralString = (
    f"insert into order_view ({COLUMNS})"
    " select * from unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bigint[],"
    " %b::text[], %b::smallint[]) on conflict (order_id) do update set status = excluded.status,"
    " position = excluded.position, document = excluded.document, needs = excluded.needs"
)


def row(document: OrderDocument) -> Row:
    return Row(
        document.order_id,
        document.status,
        document.customer_id,
        document.placed_at,
        document.position,
        encode(document),
        needs_of(document),
    )


async def write(conn: AsyncConnection, documents: Iterable[OrderDocument]) -> None:
    """Put the documents in place of what was there; rows in one order, so that none deadlock."""
    rows = sorted(map(row, documents))
    if rows:
        await conn.execute(_UPSERT, [list(column) for column in zip(*rows, strict=True)])


async def load(conn: AsyncConnection, order_ids: Sequence[str]) -> dict[str, OrderDocument]:
    """The documents to fold on."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(
            "select document from order_view where order_id = any(%b::text[])", (list(order_ids),)
        )
        documents = [decode(found[0]) for found in await cursor.fetchall()]
    return {document.order_id: document for document in documents}


class BadCursor(ValueError):
    """The cursor is not one that a page gave out."""


class Filter(NamedTuple):
    """Which orders; `since` is included, `until` is not, `needs` are bits, any of which will do."""

    status: str = ""
    customer_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    needs: int = 0


async def page(
    conn: AsyncConnection, wanted: Filter, cursor: str, limit: int
) -> tuple[list[str], str | None]:
    """The newest orders first, and the cursor of what comes after; stable while orders come."""
    conditions: list[LiteralString] = ["true"]
    values: list[object] = []
    if wanted.status:
        conditions.append("status = %s")
        values.append(wanted.status)
    if wanted.customer_id:
        # Says also that it is not empty, or the partial index could not be used.
        conditions.append("customer_id = %s and customer_id <> ''")
        values.append(wanted.customer_id)
    if wanted.needs:
        # The second half as well, for the same reason.
        conditions.append("needs & %s <> 0 and needs <> 0")
        values.append(wanted.needs)
    if wanted.since:
        conditions.append("placed_at >= %s")
        values.append(wanted.since)
    if wanted.until:
        conditions.append("placed_at < %s")
        values.append(wanted.until)
    if cursor:
        conditions.append("(placed_at, order_id) < (%s, %s)")
        values.extend(_open_cursor(cursor))
    where = " and ".join(conditions)
    async with conn.cursor(binary=True) as reader:
        await reader.execute(
            f"select document, placed_at, order_id from order_view where {where}"
            " order by placed_at desc, order_id desc limit %s",
            [*values, limit + 1],
        )
        rows = await reader.fetchall()
    following = _make_cursor(*rows[limit - 1][1:]) if len(rows) > limit else None
    return [found[0] for found in rows[:limit]], following


def _make_cursor(placed_at: datetime, order_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([placed_at, order_id])).decode()


def _open_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=tuple[datetime, str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise BadCursor(cursor) from error
