"""The wall reads again what others may have been told, from an API that says what a test wants."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from api.wall import counting
from api.wall.board import PLACED, Board
from api.wall.counting import LATE, MINUTE, Counting
from api.wall.feed import Feed
from api.wall.truth import Truth
from api.wall.window import Window
from store.tasks import end
from store.views.minutes import Tally, name_of
from tests.integration.relay_world import until
from tests.integration.wall_world import serving


class Api:
    """Counts `orders` in each minute up to `position`, and remembers which minutes it was asked."""

    def __init__(self) -> None:
        self.position = self.orders = 1
        self.facts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.app = FastAPI()
        self.app.get("/revenue/minutes")(self._minutes)
        self.app.get("/events")(self._events)

    def times(self, begin: datetime) -> int:
        return self.asked.count(name_of(begin))

    async def _minutes(self, to: str) -> dict[str, Any]:
        name = name_of(datetime.fromisoformat(to) - MINUTE)
        self.asked.append(name)
        minute = {"orders": self.orders, "revenue": {"EUR": self.orders}}
        return {"position": self.position, "minutes": {name: minute}}

    async def _events(self, after: int) -> dict[str, Any]:
        return {"events": [each for each in self.facts if each["position"] > after]}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def truth(api: Api) -> AsyncGenerator[Truth]:
    async with serving(api.app) as address:
        truth = Truth(address)
        yield truth
        await truth.close()


async def test_a_minute_is_read_again_until_nobody_is_told_of_it_any_more(
    api: Api, truth: Truth, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(counting, "READ_EVERY_SECONDS", 0.02)
    window = Window(Feed())
    wall = Counting(window, (), truth, None)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    old = now - MINUTE - LATE
    for begin in (now, old):
        await wall.placed(begin, 1, 1, "EUR")
    assert window.told()[name_of(now)]["orders"] == 1
    running = asyncio.create_task(wall.run())
    api.position = api.orders = 5  # another wall is told of these

    async def right_for_a_while() -> bool:
        return api.times(now) > 4 and window.told()[name_of(now)]["orders"] == 5

    await until(right_for_a_while, 5)
    assert (api.times(old), window[name_of(old)].sum) == (1, Tally(1, {"EUR": 1}))
    await end(running)


async def test_a_fact_that_cannot_be_shown_keeps_no_other_from_the_wall(
    api: Api, truth: Truth, caplog: pytest.LogCaptureFixture
):
    time = datetime.now(UTC).isoformat()
    datas: list[Any] = [{"total": {"amount_minor": 1, "currency": "EURO"}}, {}]
    datas.append({"total": {"amount_minor": 1, "currency": "EUR"}})
    api.facts = [
        {"position": n, "stream": f"order-o-{n}", "type": PLACED, "time": time, "data": data}
        for n, data in enumerate(datas, 1)
    ]
    api.position = len(datas)
    board = Board(Feed())
    with caplog.at_level(logging.WARNING, "quire.wall"):
        await Counting(Window(Feed()), (), truth, None).begin(board)
    assert list(board.orders) == ["o-3"]
    assert [word for word in ("o-1", "o-2", "o-3") if word in caplog.text] == ["o-1", "o-2"]
