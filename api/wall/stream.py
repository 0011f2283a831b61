"""The feed as server-sent events, until the reader leaves or the wall ends."""

import asyncio
from collections.abc import AsyncGenerator

from api.wall.feed import Feed

PACE_SECONDS = 0.1
"""No reader is told more often: an eye sees no more, and each telling costs the same."""

AGAIN = b"retry: 1000\n\n"


async def stream(feed: Feed, place: int, heartbeat_seconds: float) -> AsyncGenerator[bytes]:
    """All that changed after `place`, then what changes; a comment when nothing does."""
    yield AGAIN
    while True:
        change, closed = feed.change(), feed.closed
        place, events = feed.after(place)
        if events:
            yield events
        if closed:
            return
        if events:
            await asyncio.sleep(PACE_SECONDS)
            continue
        try:
            async with asyncio.timeout(heartbeat_seconds):
                await change.wait()
        except TimeoutError:
            yield b": still here\n\n"
