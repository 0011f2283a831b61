"""The notification's rules, one sentence each."""

from datetime import timedelta
from typing import Any

import pytest

from domain.notification import messages as m
from domain.notification.decider import ask, decider
from tests.spec import NOON, Spec

given = Spec(decider, ask, m.Answered).given

ID = "o-1.order_confirmed.email.1"
NAMES = (ID, "o-1", "order_confirmed", "email")
NOTIFY = m.Notify(ID, "o-1", "order_confirmed", "email", "c-1", "sealed")
SENT = m.NotificationSent(*NAMES)
AWAY = m.DeliveryAnswer("unreachable", "timeout")


def test_it_is_sent():
    given().when(NOTIFY, m.DeliveryAnswer("sent")).then(SENT)


def test_who_does_not_want_it_gets_nothing():
    quiet = given(m.PreferencesSet("c-1", ()))
    quiet.when(NOTIFY).then(m.NotificationSuppressed(*NAMES, "not_wanted"))


WEBHOOK_ID = "o-1.order_confirmed.webhook.1"
ALSO = m.NotificationAlsoWanted(
    ID, "o-1", "order_confirmed", "webhook", WEBHOOK_ID, "c-1", "sealed"
)


def test_who_wants_another_channel_as_well_hears_on_both():
    both = given(m.PreferencesSet("c-1", ("email", "webhook")))
    both.when(NOTIFY, m.DeliveryAnswer("sent")).then(SENT, ALSO)


def test_who_wants_another_channel_alone_hears_on_that():
    other = given(m.PreferencesSet("c-1", ("webhook",)))
    other.when(NOTIFY).then(m.NotificationSuppressed(*NAMES, "not_wanted"), ALSO)


def test_the_other_channel_is_asked_for_once_however_often_mail_is_tried():
    both = given(m.PreferencesSet("c-1", ("email", "webhook")))
    waits = both.when(NOTIFY, AWAY).then_types(m.NotificationDeferred, m.NotificationAlsoWanted)
    waits.when(m.RetryNotification(ID, "c-1"), m.DeliveryAnswer("sent")).then(SENT)


def test_the_other_channel_asks_for_no_further_one():
    both = given(m.PreferencesSet("c-1", ("email", "webhook")))
    wish = m.Notify(WEBHOOK_ID, "o-1", "order_confirmed", "webhook", "c-1", "sealed")
    sent = m.NotificationSent(WEBHOOK_ID, "o-1", "order_confirmed", "webhook")
    both.when(wish, m.DeliveryAnswer("sent")).then(sent)


def test_what_the_channel_cannot_deliver_is_suppressed():
    given().when(NOTIFY, m.DeliveryAnswer("suppressed", "no_address")).then(
        m.NotificationSuppressed(*NAMES, "no_address")
    )


def test_without_an_address_nothing_goes_out():
    bare = m.Notify(ID, "o-1", "order_confirmed")
    given().when(bare).then(m.NotificationSuppressed(*NAMES, "no_address"))


def test_tried_again_for_a_day():
    waits = given().when(NOTIFY, AWAY).then_types(m.NotificationDeferred)
    retry = m.RetryNotification(ID, "c-1")
    again = waits.when(retry, AWAY, at=NOON + timedelta(hours=1))
    later = again.then_types(m.NotificationDeferred)
    last = later.when(retry, AWAY, at=NOON + timedelta(hours=24))
    last.then(m.NotificationFailed(*NAMES, "timeout"))


def test_who_does_not_want_it_any_more_is_not_tried_again():
    waits = given().when(NOTIFY, AWAY).then_types(m.NotificationDeferred)
    chose = given(m.PreferencesSet("c-1", ("webhook",)), state=waits.state)
    retry = m.RetryNotification(ID, "c-1")
    chose.when(retry).then(m.NotificationSuppressed(*NAMES, "not_wanted")).when(
        retry
    ).then_nothing()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (NOTIFY, m.DeliveryAnswer("sent")),
        (NOTIFY, m.DeliveryAnswer("failed", "bounced")),
        (NOTIFY, AWAY),
        (m.Notify(ID, "o-1", "order_confirmed"), None),
        (m.SetPreferences("c-1", ("email",)), None),
    ],
)
def test_twice(command: Any, answer: Any):
    given().when(command, answer).twice_writes_nothing()


def test_a_retry_that_is_not_waited_for_changes_nothing():
    given(SENT).when(m.RetryNotification(ID, "c-1")).then_nothing()
