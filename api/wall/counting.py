"""Counts orders by minute: from what is told, corrected by what is read, and posts what is passed.

An order that was told is answered for only when each threshold that it was seen to pass has been
taken by the sink. So a wall that is killed in between is told the order again, finds the same
threshold passed, and posts the same event.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

from api.problems import Problem
from api.wall.board import PLACED, Board
from api.wall.posting import Sink
from api.wall.taking import total_of
from api.wall.thresholds import SOURCE, Threshold, event_of, reached
from api.wall.truth import Fact, Truth, Unread
from api.wall.window import Minute, Window
from store.views.minutes import Tally, name_of

WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.1
READ_EVERY_SECONDS = 5.0
AGAIN_SECONDS = 1.0
WARN_EVERY = 10
BACK = timedelta(minutes=15)
FACTS_BACK = 2_000
MINUTE = timedelta(minutes=1)
LATE = timedelta(seconds=90)
"""So long after its end a minute is read again, for the orders that only others were told."""

log = logging.getLogger("quire.wall")


class Counting:
    """The window, and what it is made of: `truth` and `sink` may be none."""

    def __init__(
        self,
        window: Window,
        thresholds: tuple[Threshold, ...],
        truth: Truth | None,
        sink: Sink | None,
    ) -> None:
        self._window = window
        self._thresholds = thresholds
        self._truth = truth
        self._sink = sink
        self._posting = asyncio.Lock()

    async def placed(self, at: datetime, position: int, amount: int, currency: str) -> None:
        """An order was placed; raises a Problem with 503 when it has to be told again."""
        name = name_of(at)
        minute = self._window.add(name, position, amount, currency)
        if minute is None:
            return
        if not minute.awaited:
            minute.awaited = True
            await self._read_up_to(name, position)
        await self._post_passed_by(name, minute, position)

    async def begin(self, board: Board) -> None:
        """Show the newest minutes and orders, as they stand in the log; try until that is read."""
        if self._truth is None:
            return
        for tries in count(1):
            try:
                await self._read_newest(self._truth, board)
            except Unread as fault:  # the API may begin as we do
                level = logging.WARNING if tries % WARN_EVERY == 0 else logging.INFO
                log.log(level, "nothing is known yet of what was before: %s", fault)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _read_newest(self, truth: Truth, board: Board) -> None:
        now = datetime.now(UTC)
        until = now.replace(second=0, microsecond=0) + MINUTE
        counted = await truth.minutes(until - BACK, until)
        for name, tally in sorted(counted.minutes.items()):
            over = _is_over(datetime.fromisoformat(name), now)
            self._window.base(name, counted.position, tally, over)
            self._show_passed(name, tally, board)
        after = counted.position - FACTS_BACK
        while facts := await truth.facts(after):
            for fact in facts:
                _show(fact, board)
            after = facts[-1].position
            if after >= counted.position:
                return

    def _show_passed(self, name: str, tally: Tally, board: Board) -> None:
        """What was posted in an earlier life, by the id with which it comes if it comes again."""
        for threshold in reached(self._thresholds, tally) if self._sink is not None else ():
            measure, currency, amount = threshold
            told = {"minute": name, "measure": measure, "threshold": amount, "currency": currency}
            board.threshold(f"{SOURCE} {event_of(name, threshold).attributes['id']}", told)

    async def run(self) -> None:
        """Read again what is not settled, and post what nobody took; for ever."""
        while True:
            await asyncio.sleep(READ_EVERY_SECONDS)
            for name in self._window.unsettled():
                await self._read(name)
            for name, minute in self._window.items():
                if minute.awaited:
                    await self._post(name, minute, self._passed(minute))

    async def _read_up_to(self, name: str, position: int) -> None:
        """The first time that a minute is told of: what was told to others is counted as well."""
        end = monotonic() + WAIT_SECONDS
        while (read_to := await self._read(name)) is not None:
            if read_to >= position or monotonic() > end:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _read(self, name: str) -> int | None:
        """Up to which position the minute is counted now; none when it cannot be read."""
        if self._truth is None:
            return None
        begin, now = datetime.fromisoformat(name), datetime.now(UTC)
        try:
            counted = await self._truth.minutes(begin, begin + MINUTE)
        except Unread as fault:
            log.warning("%s counts what was told alone: %s", name, fault)
            return None
        tally = counted.minutes.get(name)
        if tally is not None:
            self._window.base(name, counted.position, tally, _is_over(begin, now))
        return counted.position

    def _passed(self, minute: Minute) -> list[Threshold]:
        """Those that the sink has not taken yet."""
        if self._sink is None:
            return []
        return [t for t in reached(self._thresholds, minute.sum) if t not in minute.taken]

    async def _post_passed_by(self, name: str, minute: Minute, position: int) -> None:
        passed = self._passed(minute)
        own = [each for each in passed if minute.owners.setdefault(each, position) == position]
        if not await self._post(name, minute, own):
            raise Problem(
                503,
                "sink_not_there",
                f"a threshold of {name} is passed, and nobody takes the event that says so",
                headers={"Retry-After": "1"},
            )

    async def _post(self, name: str, minute: Minute, passed: list[Threshold]) -> bool:
        """Whether all of them are taken now."""
        for threshold in passed:
            async with self._posting:
                if self._sink is None or threshold in minute.taken:
                    continue
                if not await self._sink.took(event_of(name, threshold)):
                    return False
                minute.taken.add(threshold)
        return True


def _is_over(begin: datetime, now: datetime) -> bool:
    return now >= begin + MINUTE + LATE


def _show(fact: Fact, board: Board) -> None:
    """One that cannot be shown is said and left out, as its inlet would refuse it."""
    order_id = fact.stream.removeprefix("order-")
    if order_id == fact.stream:
        return
    try:
        total = total_of(fact.data) if fact.type == PLACED else None
    except Problem as wrong:
        log.warning("not shown: %s at position %d: %s", fact.stream, fact.position, wrong)
        return
    board.happened(order_id, fact.type, fact.position, fact.time.isoformat(), total)
