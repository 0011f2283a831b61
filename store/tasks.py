"""Ending tasks that speak to servers."""

import asyncio

AGAIN_SECONDS = 0.5


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel until they are done. Once is not enough: a cancellation that comes just as what is
    waited for is ready gets lost in `asyncio.wait_for`, which drivers use (mended in Python 3.12).
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen, so that nobody complains of one that was never asked for
