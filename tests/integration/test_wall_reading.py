"""The wall reads again what others may have been told, from an API that says what a test wants."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from api.settings import WallSettings
from api.wall import counting, totals
from api.wall.app import create_wall
from api.wall.board import PLACED, Board, Worth
from api.wall.counting import LATE, MINUTE, Counting
from api.wall.feed import Feed
from api.wall.posting import Sink
from api.wall.thresholds import SOURCE, event_of, parsed
from api.wall.truth import Truth
from api.wall.window import Window
from store.tasks import end
from store.views.minutes import Tally, name_of
from tests.integration.relay_world import until
from tests.integration.wall_world import serving

PAID = "quire.order.paid.v1"


class Api:
    """Counts `orders` in each minute up to `position`, and remembers which minutes it was asked."""

    def __init__(self) -> None:
        self.position = self.orders = 1
        self.facts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.app = FastAPI()
        self.app.get("/revenue/minutes")(self._minutes)
        self.app.get("/events")(self._events)
        self.orders_asked: list[str] = []
        self.answers: dict[str, tuple[int, Any]] = {}
        self.app.get("/orders/{order_id}")(self._order)

    def times(self, begin: datetime) -> int:
        return self.asked.count(name_of(begin))

    async def _minutes(self, to: str) -> dict[str, Any]:
        name = name_of(datetime.fromisoformat(to) - MINUTE)
        self.asked.append(name)
        minute = {"orders": self.orders, "revenue": {"EUR": self.orders}}
        return {"position": self.position, "minutes": {name: minute}}

    async def _events(self, after: int) -> dict[str, Any]:
        return {"events": [each for each in self.facts if each["position"] > after]}

    async def _order(self, order_id: str) -> JSONResponse:
        self.orders_asked.append(order_id)
        status, told = self.answers[order_id]
        return JSONResponse(told, status)


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


async def test_an_order_that_began_before_all_that_was_read_gets_its_total(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(totals, "EVERY_SECONDS", 0.02)
    time = datetime.now(UTC).isoformat()
    ids = ("gone", "accepted", "away", "old")
    api.facts = [
        {"position": n, "stream": f"order-{each}", "type": PAID, "time": time, "data": {}}
        for n, each in enumerate(ids, 1)
    ]
    api.position = len(ids)
    totals_of_old = {"ordered": 2495, "currency": "EUR", "captured": 2495}
    api.answers = {
        "gone": (404, {}), "accepted": (200, {"status": "accepted"}), "away": (503, {}),
        "old": (200, {"totals": totals_of_old}),
    }  # fmt: skip
    async with serving(api.app) as address:
        app = create_wall(WallSettings(wall_api=address))
        async with serving(app):
            board: Board = app.state.wall.board

            async def asked_again() -> bool:
                return api.orders_asked.count("away") > 2

            await until(asked_again, 5)
            api.answers["away"] = (200, {"totals": {"ordered": 1, "currency": "EUR"}})

            async def told() -> bool:
                return board.orders["old"].total == Worth(2495, "EUR")

            await until(told, 5)
    worth = {each.order_id: each.total for each in board.orders.values()}
    assert (worth["away"], worth["gone"], worth["accepted"]) == (Worth(1, "EUR"), None, None)
    assert [api.orders_asked.count(each) for each in ("gone", "accepted", "old")] == [1, 1, 1]


async def test_a_wall_that_begins_anew_shows_what_was_passed_as_the_broker_tells_it(
    api: Api, truth: Truth
):
    wanted = parsed("orders=3 orders=4")
    api.orders = 3
    board = Board(Feed())
    sink = Sink("http://127.0.0.1:1")
    await Counting(Window(Feed()), wanted, truth, sink).begin(board)
    [name] = api.asked
    event = event_of(name, wanted[0])
    told = {"minute": name, "measure": "orders", "threshold": 3, "currency": ""}
    assert board.passed == {f"{SOURCE} {event.attributes['id']}": told}
    silent = Board(Feed())  # without a sink nothing was posted
    await Counting(Window(Feed()), wanted, truth, None).begin(silent)
    assert silent.passed == {}
    sink.close()
