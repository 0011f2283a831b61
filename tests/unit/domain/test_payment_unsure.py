"""What the provider left open, what came late, and what waits for it."""

from datetime import timedelta
from typing import Any

import pytest

from domain.payment import messages as m
from tests.shop import pounds
from tests.spec import NOON
from tests.unit.domain.payments import (
    AUTHORIZE,
    AUTHORIZED,
    CAPTURE,
    CAPTURED,
    DOWN,
    NO,
    REFUND,
    UNSURE,
    VOID,
    WAITS,
    YES,
    given,
)


def test_after_a_day_it_is_given_up():
    waiting = given().when(AUTHORIZE, DOWN).then_types(m.PaymentDeferred)
    late = waiting.when(
        m.RetryPayment("o-1", "authorize", "1"), DOWN, at=NOON + timedelta(hours=24)
    )
    late.then(m.PaymentDeclined("o-1", 1, "provider_unreachable", False))


def test_what_may_have_been_done_before_it_was_given_up_is_voided():
    asked = given().when(AUTHORIZE, UNSURE, command_id="first").then_types(m.PaymentOutcomeUnknown)
    retry = m.RetryPayment("o-1", "authorize", "1")
    away = asked.when(retry, DOWN).then_types(m.PaymentDeferred)
    late = away.when(retry, DOWN, at=NOON + timedelta(hours=24))
    declined, waits = late.facts
    assert declined == m.PaymentDeclined("o-1", 1, "provider_unreachable", False, True)
    void = given(declined, waits, state=away.state)
    asked = void.when(m.RetryPayment("o-1", "void", "o-1/authorize/first"), DOWN)
    assert asked.request.key == "o-1/authorize/first/void"
    assert asked.request.amount == pounds(1_000)
    assert asked.request.reference == "o-1/authorize/first"
    later = asked.then_types(m.PaymentDeferred)
    again = later.when(m.RetryPayment("o-1", "void", "o-1/authorize/first"), YES)
    assert again.request.key == "o-1/authorize/first/void"
    done = again.then(m.AuthorizationVoided("o-1", pounds(1_000), reference="o-1/authorize/first"))
    assert not done.state.pending


def given_up_unsure() -> Any:
    """The first attempt was lost on the way, and nobody said for a day what became of it."""
    asked = given().when(AUTHORIZE, UNSURE, command_id="first").then_types(m.PaymentOutcomeUnknown)
    retry = m.RetryPayment("o-1", "authorize", "1")
    late = asked.when(retry, DOWN, at=NOON + timedelta(hours=24))
    return late.then_types(m.PaymentDeclined, m.PaymentDeferred)


def test_what_was_given_up_unsure_is_not_forgotten_when_the_next_attempt_succeeds():
    second = m.AuthorizePayment("o-1", 2, pounds(1_000), "tok_other")
    paid = given_up_unsure().when(second, YES, command_id="second")
    held = paid.then(m.PaymentAuthorized("o-1", 2, pounds(1_000), "ref-1"))
    void = held.when(m.RetryPayment("o-1", "void", "o-1/authorize/first"), YES)
    assert void.request.reference == "o-1/authorize/first"
    gone = m.AuthorizationVoided("o-1", pounds(1_000), reference="o-1/authorize/first")
    done = void.then(gone)
    assert done.state.held == 1_000  # of the second attempt
    assert not done.state.pending


def test_an_order_that_is_given_up_hears_of_its_void_when_nothing_can_be_held():
    void = given_up_unsure().when(VOID, DOWN)
    assert void.request.key == "o-1/authorize/first/void"
    waits = void.then_types(m.PaymentDeferred, m.PaymentDeferred)
    over = waits.when(m.RetryPayment("o-1", "void", ""), YES)
    assert over.request.key == "o-1/authorize/first/void"
    gone = m.AuthorizationVoided("o-1", pounds(1_000), reference="o-1/authorize/first")
    assert not over.then(gone, m.AuthorizationVoided("o-1")).state.pending


def test_a_void_that_waits_asks_of_what_is_given_up_meanwhile():
    asked = given().when(AUTHORIZE, UNSURE, command_id="first").then_types(m.PaymentOutcomeUnknown)
    waits = asked.when(VOID, DOWN).then_types(m.PaymentDeferred, m.PaymentDeferred)
    late = waits.when(m.RetryPayment("o-1", "authorize", "1"), DOWN, at=NOON + timedelta(hours=24))
    given_up = late.then_types(m.PaymentDeclined, m.PaymentDeferred)
    over = given_up.when(m.RetryPayment("o-1", "void", ""), YES)
    assert over.request.key == "o-1/authorize/first/void"
    gone = m.AuthorizationVoided("o-1", pounds(1_000), reference="o-1/authorize/first")
    assert not over.then(gone, m.AuthorizationVoided("o-1")).state.pending


def test_a_void_outlives_the_renewal_that_it_waits_for():
    renewal = given(AUTHORIZED).when(m.RenewAuthorization("o-1"), UNSURE, command_id="renewal")
    waits = renewal.then_types(m.PaymentOutcomeUnknown).when(VOID, DOWN)
    retry = m.RetryPayment("o-1", "authorize", "renewal")
    pending = waits.then_types(m.PaymentDeferred, m.PaymentDeferred)
    late = pending.when(retry, DOWN, at=NOON + timedelta(hours=24))
    assert late.facts[0] == m.AuthorizationExpired("o-1", pounds(1_000), unsure=True)
    given_up = late.then_types(m.AuthorizationExpired, m.PaymentDeferred)
    over = given_up.when(m.RetryPayment("o-1", "void", ""), YES)
    assert over.request.key == "o-1/renew/renewal/void"
    gone = m.AuthorizationVoided("o-1", pounds(1_000), reference="ref-1")
    assert not over.then(gone, m.AuthorizationVoided("o-1")).state.pending


def test_a_confirmation_that_was_given_up_unsure_is_voided_by_the_providers_name_for_it():
    """The provider does not know the key under which we asked what became of the challenge."""
    back = given(WAITS).when(m.ConfirmAuthentication("o-1", 1), UNSURE)
    retry = m.RetryPayment("o-1", "authorize", "1")
    late = back.then_types(m.PaymentOutcomeUnknown).when(retry, DOWN, at=NOON + timedelta(hours=24))
    given_up = late.then_types(m.PaymentDeclined, m.PaymentDeferred)
    void = given_up.when(m.RetryPayment("o-1", "void", "auth-1"), YES)
    assert void.request.reference == "auth-1"
    void.then(m.AuthorizationVoided("o-1", pounds(1_000), reference="auth-1"))


LATE = m.RecordProviderNotice("o-1", "n-9", "auth-1", "authorized", pounds(1_000), NOON)


@pytest.mark.parametrize("gives_up", [VOID, m.ExpireAuthentication("o-1", 1)], ids=["void", "late"])
def test_a_challenge_that_was_given_up_and_is_confirmed_late_is_voided(gives_up: Any):
    answer = YES if gives_up is VOID else None
    given_up = after_giving_up(gives_up, answer)
    voided = given_up.when(LATE, YES, command_id="late")
    assert voided.request == m.ProviderRequest(
        "void", "o-1/void/late", "o-1", pounds(1_000), "", "auth-1", "auth-1"
    )
    done = voided.then(
        m.AuthorizationCameLate("o-1", 1, pounds(1_000), "auth-1"),
        m.AuthorizationVoided("o-1", pounds(1_000), reference="auth-1"),
    )
    done.when(LATE).then_nothing()


def after_giving_up(command: Any, answer: Any) -> Any:
    return given(WAITS).when(command, answer).then_types(*_KINDS[type(command)])


_KINDS: dict[type, tuple[type, ...]] = {
    m.VoidAuthorization: (m.AuthorizationVoided,),
    m.ExpireAuthentication: (m.PaymentDeclined,),
}


def test_a_void_while_the_customer_is_asked_closes_the_challenge():
    void = given(WAITS).when(VOID, YES)
    assert void.request.reference == "auth-1"
    void.then(m.AuthorizationVoided("o-1", pounds(1_000)))


def test_the_void_of_a_late_hold_is_asked_again_until_it_is_out():
    declined = given(WAITS).when(m.ExpireAuthentication("o-1", 1)).then_types(m.PaymentDeclined)
    away = declined.when(LATE, DOWN, command_id="late")
    waits = away.then_types(m.AuthorizationCameLate, m.PaymentDeferred)
    again = waits.when(m.RetryPayment("o-1", "void", "auth-1"), YES)
    assert again.request.key == "o-1/void/late"
    again.then(m.AuthorizationVoided("o-1", pounds(1_000), reference="auth-1"))


def test_what_may_have_been_taken_is_asked_for_until_somebody_answers():
    unsure = given(AUTHORIZED).when(CAPTURE, UNSURE, command_id="first")
    retry = m.RetryPayment("o-1", "capture", "o-1.1")
    late = unsure.then_types(m.PaymentOutcomeUnknown).when(retry, DOWN, at=NOON + timedelta(days=3))
    assert late.request.key == "o-1/capture/first"
    late.then_types(m.PaymentDeferred)


def test_what_was_surely_not_taken_is_given_up_after_a_day():
    away = given(AUTHORIZED).when(CAPTURE, DOWN).then_types(m.PaymentDeferred)
    retry = m.RetryPayment("o-1", "capture", "o-1.1")
    away.when(retry, DOWN, at=NOON + timedelta(days=1)).then_types(m.CaptureFailed)


def test_a_new_authorisation_waits_for_the_void_of_the_old_one():
    voiding = given(AUTHORIZED).when(VOID, DOWN, command_id="void").then_types(m.PaymentDeferred)
    anew = m.AuthorizePayment("o-1", 2, pounds(600), "tok_other")
    asked = voiding.when(anew, YES)
    assert asked.request.step == "void"
    waits = asked.then_types(m.AuthorizationVoided, m.PaymentDeferred)
    held = waits.when(m.RetryPayment("o-1", "authorize", "2"), YES)
    held.then(m.PaymentAuthorized("o-1", 2, pounds(600), "ref-1"))


def test_a_refund_behind_a_capture_behind_a_renewal_asks_for_the_renewal():
    renewal = given(AUTHORIZED).when(m.RenewAuthorization("o-1"), DOWN, command_id="renewal")
    capture = renewal.then_types(m.PaymentDeferred).when(CAPTURE, DOWN)
    assert capture.request.key == "o-1/renew/renewal"
    both = capture.then_types(m.PaymentDeferred, m.PaymentDeferred)
    assert both.when(REFUND, DOWN).request.key == "o-1/renew/renewal"


def test_what_failed_is_tried_again_under_a_key_of_its_own():
    failed = given(AUTHORIZED).when(CAPTURE, NO, command_id="first").then_types(m.CaptureFailed)
    again = m.CapturePayment("o-1", "o-1.1", CAPTURE.amount, CAPTURE.final, again=1)
    taken = failed.when(again, YES, command_id="second")
    assert taken.request.key == "o-1/capture/second"
    taken.then_types(m.PaymentCaptured)


def test_who_confirms_what_is_being_voided_does_not_wait_for_ever():
    """The void goes first, and takes the challenge away."""
    voiding = given(WAITS).when(VOID, DOWN).then_types(m.PaymentDeferred)
    confirmed = voiding.when(m.ConfirmAuthentication("o-1", 1), YES)
    assert confirmed.request.step == "void"
    gone = confirmed.then_types(m.AuthorizationVoided, m.PaymentDeferred)
    declined = m.PaymentDeclined("o-1", 1, "authorization_voided", False)
    done = gone.when(m.RetryPayment("o-1", "authorize", "1")).then(declined)
    assert not done.state.pending


def test_what_waits_for_another_asks_no_more_often_than_that():
    """Else an outage of a day would be asked about, and written down, every two seconds."""
    away = given(AUTHORIZED).when(m.RenewAuthorization("o-1"), DOWN)
    asked, at = away.then_types(m.PaymentDeferred).when(CAPTURE, DOWN), NOON
    for _ in range(100):
        at = asked.facts[-1].retry_at
        waiting = asked.then_types(m.PaymentDeferred, m.PaymentDeferred)
        asked = waiting.when(m.RetryPayment("o-1", "capture", "o-1.1"), DOWN, at=at)
    assert at > NOON + timedelta(hours=12)


def test_a_new_attempt_outlives_the_void_that_it_waits_for():
    """Given up after a day, the void must not take along what is asked in its place."""
    voiding = given(AUTHORIZED).when(VOID, DOWN).then_types(m.PaymentDeferred)
    anew = m.AuthorizePayment("o-1", 2, pounds(1_000), "tok_other")
    waiting = voiding.when(anew, DOWN).then_types(m.PaymentDeferred, m.PaymentDeferred)
    late = NOON + timedelta(hours=25)
    over = waiting.when(m.RetryPayment("o-1", "void", ""), DOWN, at=late)
    left = over.then_types(m.AuthorizationExpired)
    authorized = m.PaymentAuthorized("o-1", 2, pounds(1_000), "ref-1")
    left.when(m.RetryPayment("o-1", "authorize", "2"), YES).then(authorized)


def test_a_capture_that_may_have_been_made_is_asked_for_though_the_authorisation_lapsed():
    """Only the provider knows; taken for failed, it would be charged a second time."""
    lapsed = m.AuthorizationExpired("o-1", pounds(1_000))
    asked = given(AUTHORIZED).when(CAPTURE, UNSURE, command_id="first")
    unsure = asked.then_types(m.PaymentOutcomeUnknown)
    retry = m.RetryPayment("o-1", "capture", "o-1.1")
    again = given(lapsed, state=unsure.state).when(retry, YES)
    assert again.request.key == "o-1/capture/first"
    again.then(CAPTURED)


def test_the_final_capture_waits_for_those_before_it():
    """It lets go of what is left, so that nothing would be there for them."""
    first = given(AUTHORIZED).when(CAPTURE, DOWN).then_types(m.PaymentDeferred)
    last = m.CapturePayment("o-1", "o-1.2", pounds(400), final=True)
    both = first.when(last, YES)
    assert both.request.subject == "o-1.1"
    both.then_types(m.PaymentCaptured, m.PaymentDeferred)
