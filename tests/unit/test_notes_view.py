"""A message that did not reach the customer can be seen with its order, and why."""

import json
from typing import Any

from domain.message import Event, Line, Money
from domain.notification import messages as notification
from domain.order import messages as order
from store.views import orders
from store.views.compare import _readable  # pyright: ignore[reportPrivateUsage]
from store.views.document import OrderDocument, encode
from tests.unit.test_parcel_view import recorded

EURO = Money(1, "EUR")
PLACED = order.OrderPlaced("o-1", (Line(1, "mug", 1, EURO),), EURO)
TOLD = ("o-1.order_confirmed.email.1", "o-1", "order_confirmed", "email")
LOST = ("o-1.order_refunded.email.return-1", "o-1", "order_refunded", "email")
HOOK = ("o-1.order_refunded.webhook.return-1", "o-1", "order_refunded", "webhook")


def document(*facts: Event) -> str:
    folded: OrderDocument | None = None
    for fact in (PLACED, *facts):
        folded = orders.step(folded, fact, recorded(1))
    assert folded is not None
    return encode(folded)


def shown(*facts: Event) -> Any:
    return json.loads(document(*facts))


def test_what_failed_or_was_not_wanted_is_told_with_its_reason():
    told = shown(
        notification.NotificationSent(*TOLD),
        notification.NotificationFailed(*LOST, "smtp_away"),
        notification.NotificationSuppressed(*HOOK, "no_webhook"),
    )
    names = ("template", "channel", "status", "code")
    assert [tuple(note[name] for name in names) for note in told["notifications"]] == [
        ("order_confirmed", "email", "sent", ""),
        ("order_refunded", "email", "failed", "smtp_away"),
        ("order_refunded", "webhook", "suppressed", "no_webhook"),
    ]


def test_rows_from_before_there_were_reasons_are_read():
    before = document(notification.NotificationSent(*TOLD)).replace(',"code":""', "")
    assert '"code"' not in before
    now = document(notification.NotificationSent(*TOLD))
    assert _readable(["document"], [before]) == _readable(["document"], [now])
