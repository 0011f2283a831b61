"""Who does not answer is left alone, one sentence each."""

from gateways.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_after_three_failures_nobody_asks():
    assert not opened(Clock()).admits()


def test_after_a_pause_one_may_try():
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    assert not breaker.admits()


def test_a_try_that_works_lets_all_ask_again():
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    assert breaker.admits()
    breaker.succeeded()
    assert all(breaker.admits() for _ in range(5))


def test_failures_have_to_be_in_a_row():
    breaker = Breaker(Clock())
    for _ in range(4):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()
