"""How slow the machine is while we measure: CPU time itself is dearer when neighbours share a core.

Two logical processors are often one core: when both are busy, each piece of work is charged up to
twice the CPU time. A fixed piece of work, timed now and then, tells by how much.
"""

import asyncio
from statistics import median
from time import process_time

EVERY_SECONDS = 0.5


def once() -> float:
    """The CPU time of the fixed piece of work, in milliseconds."""
    before = process_time()
    table: dict[int, str] = {}
    for number in range(12_000):
        table[number & 1023] = str(number)
    return (process_time() - before) * 1000


async def during(stop: asyncio.Event) -> float:
    """The median while something else is going on."""
    taken = [once()]
    while not stop.is_set():
        try:
            async with asyncio.timeout(EVERY_SECONDS):
                await stop.wait()
        except TimeoutError:
            taken.append(once())
    return median(taken)
