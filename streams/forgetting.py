"""Forgets old wishes: the answers after some days, the rows with the outcomes of their commands;
and the history of parked messages.

Any number of processes may do it: what one has dropped the next does not find.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from store import unparking
from store.connect import AsyncConnection, connect
from store.forgetting import (
    KEPT,
    close_receipts,
    drop_answers,
    drop_rows,
    older_than,
    page_end,
)

AT_ONCE = 1_000
PAUSE = 0.05  # between two pages: those who take wishes in come first
EVERY = 3600.0

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
log = logging.getLogger("quire.forgetting")

Drop = Callable[[AsyncConnection, datetime, datetime], Awaitable[int]]


async def forget_what_is_old(dsn: str, answers_kept: timedelta, history_kept: timedelta) -> None:
    """Once an hour, page by page. How far answers and receipts are done is remembered meanwhile:
    past that nobody finds anything any more, however many receipts are kept."""
    done = closed = _1970
    while True:
        async with await connect(dsn, name="quire forgetting", index_only=True) as conn:
            before = await older_than(conn, answers_kept)
            answers = await _drop(conn, drop_answers, done, before)
            done = max(done, before)
            until = await older_than(conn, KEPT)
            await _drop(conn, close_receipts, closed, until)
            closed = max(closed, min(done, until))  # what still has an outcome has no answer there
            rows = await _drop(conn, drop_rows, _1970, until, receipts=False)
            moved = await _forget_moved(conn, history_kept)
        if answers or rows or moved:
            log.info("forgot %d answers, %d wishes and %d moved messages", answers, rows, moved)
        await asyncio.sleep(EVERY)


async def _forget_moved(conn: AsyncConnection, kept: timedelta) -> int:
    count = 0
    while some := await unparking.forget(conn, kept, AT_ONCE):
        count += some
        await asyncio.sleep(PAUSE)
    return count


async def _drop(
    conn: AsyncConnection, drop: Drop, after: datetime, before: datetime, *, receipts: bool = True
) -> int:
    count = 0
    while after < before:
        end = await page_end(conn, after, before, AT_ONCE, receipts=receipts)
        count += await drop(conn, after, end)
        after = end
        await asyncio.sleep(PAUSE)
    return count
