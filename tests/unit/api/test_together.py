"""Who asks while a question is under way is answered by the next one, all together."""

import asyncio
from collections.abc import Mapping

import pytest

from api.together import Alike, Together


class Asked:
    """Doubles numbers above 0 when it is let; remembers what it was asked for."""

    def __init__(self) -> None:
        self.questions: list[list[int]] = []
        self.go = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, keys: list[int]) -> Mapping[int, int]:
        self.questions.append(keys)
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return {key: key * 2 for key in keys if key > 0}


async def test_those_at_the_same_time_share_a_question_and_later_ones_the_next():
    asked = Asked()
    doubled = Together(asked)
    first = [asyncio.create_task(doubled.get(key)) for key in (1, 2, 1, 0)]
    while not asked.questions:
        await asyncio.sleep(0)
    later = [asyncio.create_task(doubled.get(key)) for key in (1, 3)]
    await asyncio.sleep(0)
    asked.go.set()
    assert await asyncio.gather(*first, *later) == [2, 4, 2, None, 2, 6]
    assert asked.questions == [[1, 2, 0], [1, 3]]


async def test_a_fault_belongs_to_those_who_asked_then():
    asked = Asked()
    doubled = Together(asked)
    asked.go.set()
    asked.fault = LookupError("gone")
    with pytest.raises(LookupError):
        await doubled.get(1)
    asked.fault = None
    assert await doubled.get(1) == 2


async def test_one_who_gives_up_takes_no_answer_from_the_others():
    asked = Asked()
    doubled = Together(asked)
    patient, hasty = (asyncio.create_task(doubled.get(1)) for _ in range(2))
    while not asked.questions:
        await asyncio.sleep(0)
    hasty.cancel()
    asked.go.set()
    assert await patient == 2


async def test_the_very_same_question_is_asked_once_and_others_do_not_wait_for_it():
    asked: list[str] = []
    go = {"slow": asyncio.Event(), "quick": asyncio.Event()}
    go["quick"].set()

    async def ask(key: str) -> str:
        asked.append(key)
        await go[key].wait()
        return key.upper()

    alike = Alike(ask)
    slow = [asyncio.create_task(alike.get("slow")) for _ in range(3)]
    await asyncio.sleep(0)
    assert await alike.get("quick") == "QUICK"
    assert not any(task.done() for task in slow)
    go["slow"].set()
    assert await asyncio.gather(*slow) == ["SLOW"] * 3
    assert await alike.get("slow") == "SLOW"
    assert asked == ["slow", "quick", "slow"]
