"""A small supervisor: one child process a command, restarted with back-off until told to stop."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping, Sequence

log = logging.getLogger("quire.children")
SOUND_AFTER_SECONDS = 30.0


async def supervise(
    commands: Mapping[str, Sequence[str]], told: Mapping[str, Mapping[str, str]]
) -> int:
    """Keeps one child a command until SIGTERM or SIGINT, then ends them all.

    Each has our environment and, by its name, what it is `told` besides. Returns the exit status:
    0, or the highest of the children when one did not end cleanly.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keepers = [_keep(n, command, stop, told.get(n, {})) for n, command in commands.items()]
    return max(await asyncio.gather(*keepers), default=0)


async def _keep(
    name: str, command: Sequence[str], stop: asyncio.Event, told: Mapping[str, str]
) -> int:
    delay = 0.5
    env = {**os.environ, **told}
    while True:
        started = time.monotonic()
        child = await asyncio.create_subprocess_exec(*command, start_new_session=True, env=env)
        ended = asyncio.ensure_future(child.wait())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if stop.is_set():
            if child.returncode is None:
                child.terminate()
            return max(0, await ended)
        if time.monotonic() - started > SOUND_AFTER_SECONDS:
            delay = 0.5
        log.warning("%s ended with status %s; again in %.1f s", name, child.returncode, delay)
        try:
            async with asyncio.timeout(delay):
                await stop.wait()
        except TimeoutError:
            delay = min(30.0, delay * 2)
        else:
            return 0
