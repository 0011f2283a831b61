"""The payment's rules, one sentence each."""

from typing import Any

import pytest

from domain.payment import messages as m
from tests.shop import pounds
from tests.spec import NOON
from tests.unit.domain.payments import (
    ACTION,
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


def test_the_key_holds_the_commands_own_id():
    assert given().when(AUTHORIZE, command_id="c-7").request.key == "o-1/authorize/c-7"


def test_a_yes_authorises():
    given().when(AUTHORIZE, YES).then(AUTHORIZED)


def test_a_no_declines():
    given().when(AUTHORIZE, NO).then(m.PaymentDeclined("o-1", 1, "card_declined", False))


def test_without_a_card_nobody_is_asked():
    bare = m.AuthorizePayment("o-1", 1, pounds(1_000), "")
    given().when(bare).then(m.PaymentDeclined("o-1", 1, "payment_method_missing", True))


@pytest.mark.parametrize(
    ("answer", "kind"), [(DOWN, m.PaymentDeferred), (UNSURE, m.PaymentOutcomeUnknown)]
)
def test_asked_again_under_the_first_key(answer: Any, kind: Any):
    waiting = given().when(AUTHORIZE, answer, command_id="first").then_types(kind)
    retry = m.RetryPayment("o-1", "authorize", "1")
    again = waiting.when(retry, YES, command_id="second")
    assert again.request.key == "o-1/authorize/first"
    done = again.then(AUTHORIZED)
    done.when(retry).then_nothing()


def test_two_parcels_are_two_captures():
    second = m.CapturePayment("o-1", "o-1.2", pounds(400), True)
    taken = given(AUTHORIZED, CAPTURED).when(second, YES)
    taken.then(m.PaymentCaptured("o-1", "o-1.2", pounds(400), "ref-1", True))


def test_never_more_than_was_authorised():
    more = m.CapturePayment("o-1", "o-1.2", pounds(401))
    failed = given(AUTHORIZED, CAPTURED).when(more)
    failed.then(m.CaptureFailed("o-1", "o-1.2", pounds(401), "exceeds_authorized"))


def test_never_back_more_than_was_taken():
    more = m.RefundPayment("o-1", "return-1", pounds(601))
    failed = given(AUTHORIZED, CAPTURED).when(more)
    failed.then(m.RefundFailed("o-1", "return-1", pounds(601), "exceeds_captured"))


def test_a_void_without_anything_held_is_a_tombstone():
    voided = given().when(VOID).then(m.AuthorizationVoided("o-1"))
    voided.when(AUTHORIZE).then_refused("authorization_voided")


def test_a_void_waits_for_the_authorisation_that_is_open():
    open_ = given().when(AUTHORIZE, UNSURE).then_types(m.PaymentOutcomeUnknown)
    asked = open_.when(VOID, YES)
    assert asked.request.step == "authorize"
    both = asked.then_types(m.PaymentAuthorized, m.PaymentDeferred)
    voided = both.when(m.RetryPayment("o-1", "void", ""), YES)
    assert voided.request.step == "void"
    voided.then_types(m.AuthorizationVoided)


def test_the_customer_comes_back_from_three_d_secure():
    waits = given().when(AUTHORIZE, ACTION).then(WAITS)
    waits.when(m.ConfirmAuthentication("o-1", 1), YES).then(AUTHORIZED)


def test_a_void_behind_a_late_answer_is_of_what_that_answer_held():
    back = given(WAITS).when(m.ConfirmAuthentication("o-1", 1), DOWN).then_types(m.PaymentDeferred)
    given_up = back.when(VOID, YES).then_types(m.PaymentAuthorized, m.PaymentDeferred)
    given_up.when(m.RetryPayment("o-1", "void", ""), YES).then(
        m.AuthorizationVoided("o-1", pounds(1_000))
    )


def test_or_stays_away():
    expired = given(WAITS).when(m.ExpireAuthentication("o-1", 1))
    expired.then(m.PaymentDeclined("o-1", 1, "authentication_expired", True))


def test_a_renewal_that_fails_ends_the_authorisation():
    """And what it would have renewed is let go, since nothing will be taken of it any more."""
    renewal = given(AUTHORIZED).when(m.RenewAuthorization("o-1"), NO)
    assert renewal.facts[0] == m.AuthorizationExpired("o-1", pounds(1_000), unsure=True)
    over = renewal.then_types(m.AuthorizationExpired, m.PaymentDeferred)
    void = over.when(m.RetryPayment("o-1", "void", "ref-1"), YES)
    assert void.request.reference == "ref-1"
    void.then(m.AuthorizationVoided("o-1", pounds(1_000), reference="ref-1"))


def test_a_notice_counts_only_for_a_reference_of_ours():
    ours = m.RecordProviderNotice("o-1", "n-1", "auth-1", "authorized", pounds(1_000), NOON)
    given(WAITS).when(ours).then(m.PaymentAuthorized("o-1", 1, pounds(1_000), "auth-1"))
    other = m.RecordProviderNotice("o-1", "n-2", "else", "authorized", pounds(1_000), NOON)
    given(WAITS).when(other).then_nothing()


@pytest.mark.parametrize(
    ("history", "command", "answer"),
    [
        ((), AUTHORIZE, YES),
        ((), AUTHORIZE, NO),
        ((), AUTHORIZE, DOWN),
        ((WAITS,), m.ConfirmAuthentication("o-1", 1), YES),
        ((WAITS,), m.ExpireAuthentication("o-1", 1), None),
        ((AUTHORIZED,), CAPTURE, YES),
        ((AUTHORIZED,), CAPTURE, NO),
        ((AUTHORIZED,), CAPTURE, UNSURE),
        ((AUTHORIZED,), VOID, YES),
        ((), VOID, None),
        ((AUTHORIZED, CAPTURED), REFUND, YES),
        ((AUTHORIZED, CAPTURED), REFUND, NO),
        ((AUTHORIZED, CAPTURED), REFUND, DOWN),
        ((AUTHORIZED,), m.RenewAuthorization("o-1"), NO),
        (
            (WAITS,),
            m.RecordProviderNotice("o-1", "n-1", "auth-1", "authorized", pounds(1_000), NOON),
            None,
        ),
    ],
)
def test_twice(history: tuple[Any, ...], command: Any, answer: Any):
    given(*history).when(command, answer).twice_writes_nothing()
