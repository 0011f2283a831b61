"""The carrier: one that hangs, fails or is away holds nobody up; the simulated has its steps."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from domain.shipping.messages import CarrierAnswer, CarrierRequest
from gateways.breaker import Breaker
from gateways.carrier import SimulatedCarrier
from gateways.guarded_carrier import GuardedCarrier

LABEL = CarrierRequest("label", "o-1.1/label", "o-1.1", units=2)


class Scripted:
    """Does what it is told, and counts how often it was asked for what."""

    def __init__(self, act: Callable[[], Awaitable[CarrierAnswer]]) -> None:
        self.act = act
        self.asked: list[str] = []

    async def perform(self, request: CarrierRequest) -> CarrierAnswer:
        self.asked.append(request.key)
        return await self.act()


async def hangs() -> CarrierAnswer:
    await asyncio.Event().wait()
    raise AssertionError("never set")


async def breaks() -> CarrierAnswer:
    raise ConnectionResetError("gone")


async def is_away() -> CarrierAnswer:
    return CarrierAnswer("unreachable", code="http_503")


async def answers() -> CarrierAnswer:
    return CarrierAnswer("ok", "test", "T-1")


@pytest.mark.parametrize(
    ("act", "code"),
    [(hangs, "no_answer_in_time"), (breaks, "connectionreseterror"), (is_away, "http_503")],
)
async def test_what_goes_wrong_is_an_answer(
    act: Callable[[], Awaitable[CarrierAnswer]], code: str
) -> None:
    guarded = GuardedCarrier(Scripted(act), timeout_seconds=0.01)
    assert await guarded.perform(LABEL) == CarrierAnswer("unreachable", code=code)


async def test_who_fails_three_times_is_left_alone_until_it_answers_again() -> None:
    now = [100.0]
    carrier = Scripted(breaks)
    guarded = GuardedCarrier(carrier, breaker=Breaker(lambda: now[0]))
    codes = [(await guarded.perform(LABEL)).code for _ in range(5)]
    assert codes[2:] == ["connectionreseterror", "not_called", "not_called"]
    assert len(carrier.asked) == 3
    now[0] += 5
    carrier.act = answers
    assert (await guarded.perform(LABEL)).outcome == "ok"
    assert (await guarded.perform(LABEL)).outcome == "ok"
    assert set(carrier.asked) == {LABEL.key}


async def test_the_parcels_of_an_order_are_fetched_one_after_the_other() -> None:
    carrier = SimulatedCarrier(step_seconds=60)
    fetched = [
        (await carrier.perform(CarrierRequest("label", "", f"o-1.{number}"))).next_at
        for number in (1, 2, 3, 40)
    ]
    times = [at.timestamp() for at in fetched if at is not None]
    gaps = [round(later - earlier) for earlier, later in pairwise(times)]
    assert gaps == [60, 60, 0]
