"""What `quire order show` tells of what went wrong, and what to do about it."""

from cli.order_text import text_of
from domain.message import Event, LineQuantity, Money, Parcel
from domain.notification.messages import (
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
)
from domain.order import messages as order
from domain.shipping import messages as shipping
from tests.unit.test_notes_view import shown
from tests.unit.test_parcel_view import NOON

EURO = Money(1, "EUR")
LINES = (LineQuantity(1, "mug", 2),)
CONFIRMED = order.OrderConfirmed("o-1", EURO, (Parcel("o-1.1", LINES),))
REFUSED = shipping.ShipmentRefused("o-1", "o-1.1", "address_not_known", 3, LINES)


def told(*facts: Event) -> list[str]:
    return [line.strip() for line in text_of(shown(*facts)).splitlines()]


def test_mails_that_did_not_leave_are_listed_with_the_reason():
    lines = told(
        NotificationSent("n-1", "o-1", "order_confirmed", "email"),
        NotificationFailed("n-2", "o-1", "order_shipped", "email", "address_not_usable"),
        NotificationSuppressed("n-3", "o-1", "order_delivered", "webhook", "not_wanted"),
    )
    assert "email order_shipped failed: address_not_usable" in lines
    assert "webhook order_delivered suppressed: not_wanted" in lines
    assert not any("order_confirmed" in line for line in lines)


def test_mails_that_wait_say_when_they_are_tried_again():
    names = ("n-1", "o-1", "order_shipped", "email")
    lines = told(NotificationDeferred(*names, "unreachable", 1, NOON, NOON))
    again = "trying again at 2026-11-17 12:00:00 UTC"
    assert f"email order_shipped deferred: unreachable, {again}" in lines


def test_a_parcel_that_the_carrier_refuses_says_why_and_what_to_do():
    lines = told(CONFIRMED, REFUSED)
    assert "parcel o-1.1 from main: refused" in lines
    assert "the carrier refuses it: address_not_known" in lines
    assert "to ask again: quire order relabel o-1 1" in lines
    assert "to give stock and money back: quire order cancel o-1 --line 1:2" in lines


def test_once_it_has_its_label_nothing_is_to_be_done():
    made = shipping.ShipmentCreated("o-1", "o-1.1", LINES, "test", "T-1")
    lines = told(CONFIRMED, REFUSED, made)
    assert "parcel o-1.1 from main: preparing, tracking T-1" in lines
    assert not any("refuse" in line for line in lines)
