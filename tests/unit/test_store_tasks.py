"""A task that loses a cancellation ends all the same."""

import asyncio

import pytest

from store import tasks


async def test_a_lost_cancellation_is_sent_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    lost = 0

    async def loses_the_first() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    async def fails() -> None:
        raise ValueError("before anybody asked")

    stubborn, failed = asyncio.create_task(loses_the_first()), asyncio.create_task(fails())
    await asyncio.sleep(0)
    await tasks.end(stubborn, failed)

    assert lost == 1
    assert stubborn.cancelled()
