"""The breaker: three failures in a row open it, and one call at a time finds out when it closes."""

import pytest

from gateways.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_two_failures_are_not_an_outage(clock: Clock):
    breaker = Breaker(clock)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()


def test_three_in_a_row_are(clock: Clock):
    breaker = opened(clock)
    assert not breaker.admits()
    clock.now += 4.9
    assert not breaker.admits()


def test_after_the_pause_one_is_let_through(clock: Clock):
    breaker = opened(clock)
    clock.now += 5
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


def test_the_one_that_gets_through_closes_it(clock: Clock):
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    breaker.succeeded()
    assert all(breaker.admits() for _ in range(50))


def test_the_one_that_fails_opens_it_for_another_pause(clock: Clock):
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    clock.now += 4
    breaker.failed()
    clock.now += 4.9
    assert not breaker.admits()
    clock.now += 0.1
    assert breaker.admits()


def test_a_try_that_never_reports_back_does_not_close_it_for_ever(clock: Clock):
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    clock.now += 5
    assert breaker.admits()
