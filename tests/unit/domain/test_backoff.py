"""When somebody outside is asked again."""

from datetime import timedelta

import pytest

from domain.backoff import Backoff
from domain.payment import messages as m
from domain.payment.decider import ask, decider
from tests.shop import pounds
from tests.spec import NOON, Spec

STEADY = Backoff(timedelta(seconds=3), 3, timedelta(seconds=50), 0, timedelta(minutes=5))
SHAKY = Backoff(timedelta(seconds=100), 1, timedelta(hours=1), 0.25)


def test_pauses_grow_by_the_factor_up_to_the_longest():
    pauses = [STEADY.pause("key", tries).total_seconds() for tries in (1, 2, 3, 4, 5, 10_000)]
    assert pauses == [3, 9, 27, 50, 50, 50]


def test_the_jitter_comes_of_the_key_and_stays_within_its_share():
    pauses = [SHAKY.pause(f"order/authorize/{n}", 1).total_seconds() for n in range(200)]
    assert all(75 <= pause <= 125 for pause in pauses)
    assert len(set(pauses)) > 50, "they do not come back all at once"
    assert pauses == [SHAKY.pause(f"order/authorize/{n}", 1).total_seconds() for n in range(200)]


@pytest.mark.parametrize(("minutes", "again"), [(4, True), (5, False)])
def test_it_ends(minutes: int, again: bool):
    now = NOON + timedelta(minutes=minutes)
    assert (STEADY.next_try("key", 9, now, NOON) is not None) is again


def test_the_fact_says_when_it_is_asked_again():
    def answered(
        command: m.PaymentCommand, request: m.ProviderRequest, answer: m.ProviderAnswer, at: object
    ) -> m.Answered:
        return m.Answered(command, request, answer, NOON, STEADY)

    given = Spec(decider, ask, answered).given
    authorize = m.AuthorizePayment("o-1", 1, pounds(1_000), "tok_approve")
    [deferred] = given().when(authorize, m.ProviderAnswer("unreachable")).facts
    assert deferred.retry_at == NOON + timedelta(seconds=3)
    assert deferred.tries == 1
