"""A message that did not reach the customer can be seen with its order, and why."""

import json
from datetime import timedelta
from typing import Any

from domain.message import Event, Line, Money
from domain.notification import messages as notification
from domain.order import messages as order
from store.views import orders
from store.views.compare import _readable  # pyright: ignore[reportPrivateUsage]
from store.views.document import OrderDocument, encode
from tests.unit.test_parcel_view import NOON, recorded

EURO = Money(1, "EUR")
PLACED = order.OrderPlaced("o-1", (Line(1, "mug", 1, EURO),), EURO)
TOLD = ("o-1.order_confirmed.email.1", "o-1", "order_confirmed", "email")
LOST = ("o-1.order_refunded.email.return-1", "o-1", "order_refunded", "email")
FIRST = ("o-1.order_shipped.email.o-1.1", "o-1", "order_shipped", "email")
SECOND = ("o-1.order_shipped.email.o-1.2", "o-1", "order_shipped", "email")
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


def test_one_that_waits_says_when_it_is_tried_again_until_it_is_done():
    def deferred(names: tuple[str, str, str, str], minute: int) -> Event:
        later = NOON + timedelta(minutes=minute)
        rest = ("email", "smtp_away", minute, NOON, later, "c-1", "sealed")
        return notification.NotificationDeferred(*names[:3], *rest)

    sent = notification.NotificationSent(*TOLD)
    waiting = [sent, deferred(FIRST, 1), deferred(SECOND, 2), deferred(FIRST, 3)]
    told = shown(*waiting)["notifications"]
    assert [(note["status"], note.get("id"), note.get("retry_at")) for note in told] == [
        ("sent", None, None),
        ("deferred", SECOND[0], "2026-11-17T12:02:00Z"),
        ("deferred", FIRST[0], "2026-11-17T12:03:00Z"),
    ]
    assert "sealed" not in document(*waiting)
    ended = [notification.NotificationSent(*FIRST), notification.NotificationFailed(*SECOND, "no")]
    told = shown(*waiting, *ended)["notifications"]
    assert [note["status"] for note in told] == ["sent", "sent", "failed"]
    assert not [note for note in told if {"id", "retry_at"} & note.keys()]


def test_rows_from_before_there_were_reasons_are_read():
    before = document(notification.NotificationSent(*TOLD)).replace(',"code":""', "")
    assert '"code"' not in before
    now = document(notification.NotificationSent(*TOLD))
    assert _readable(["document"], [before]) == _readable(["document"], [now])
