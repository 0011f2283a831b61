"""A server ends when it is told to, also while it waits for what it needs."""

import asyncio
import os
import signal
from typing import Any

from gateways.serving import serve


async def test_who_cannot_begin_yet_ends_when_told_to():
    begun = asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    serving = asyncio.create_task(serve(waits, "127.0.0.1", 0, drain_seconds=1))
    async with asyncio.timeout(5):
        await begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
