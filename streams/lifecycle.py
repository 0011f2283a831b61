"""How a long-running process begins, says that it works, and ends."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import uvloop

from store.tasks import end
from streams.sampling import sampled
from telemetry.registry import of_this_process

NEEDS_A_PERSON = 78
BEAT_SECONDS = 1.0

log = logging.getLogger("quire")
_last_beat = 0.0
_stops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Event] = WeakKeyDictionary()


class CannotGoOn(Exception):
    """Trying again will not help: a person must look. Ends the process with code 78."""


def stopping() -> asyncio.Event:
    """The event of this loop that SIGTERM and SIGINT set."""
    loop = asyncio.get_running_loop()
    event = _stops.get(loop)
    if event is None:
        event = _stops[loop] = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, event.set)
    return event


def ready() -> None:
    """Tell the supervisor, by the file that it named, that this process works."""
    file = os.environ.get("QUIRE_READY_FILE")
    if file:
        Path(file).write_text(f"ready {os.getpid()}\n")
    log.info("ready")


def beat() -> None:
    """Tell who watches the ready file that a turn of work was done, or that there was none to do.

    Every loop that may not stand still says so once a turn; whoever finds the file older than a
    minute may end the process (`cli.health`). It costs one clock reading, and a second apart at
    the least one touch of the file and of the page of metrics.
    """
    global _last_beat  # noqa: PLW0603 one process, one heart
    now = monotonic()
    if now - _last_beat < BEAT_SECONDS:
        return
    _last_beat = now
    of_this_process().gauge("quire_turn_timestamp_seconds").set_to_current_time()
    if file := os.environ.get("QUIRE_READY_FILE"):
        with suppress(FileNotFoundError):  # not ready yet
            os.utime(file)


def run(process: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a process to its end, on uvloop; CannotGoOn becomes its exit code."""
    level = os.environ.get("QUIRE_LOG_LEVEL", "INFO").upper()
    known = level in logging.getLevelNamesMapping()
    set_up_logging(level if known else "INFO")
    wrong = _unusable() if known else "QUIRE_LOG_LEVEL is no level of logging"
    if wrong:
        log.critical("stopped for good: settings_wrong: %s", wrong)
        raise SystemExit(NEEDS_A_PERSON)
    calm_the_collector()
    try:
        with sampled(os.environ.get("QUIRE_PROFILE")):
            uvloop.run(process())
    except CannotGoOn as reason:
        log.critical("stopped for good: %s", reason)
        raise SystemExit(NEEDS_A_PERSON) from reason


def _unusable() -> str:
    """What is wrong with the places that we shall write to; empty when nothing is."""
    ready = os.environ.get("QUIRE_READY_FILE")
    if ready and not os.access(Path(ready).absolute().parent, os.W_OK):
        return "QUIRE_READY_FILE lies in no directory that we may write to"
    try:
        if profile := os.environ.get("QUIRE_PROFILE"):
            Path(profile).mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        return f"QUIRE_PROFILE is no directory that we may write to: {reason.strerror}"
    return ""


def set_up_logging(level: str = "INFO") -> None:
    """Plain lines on stderr, from this level on."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for noisy in ("aiokafka", "kafka", "faust", "mode", "httpx", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def calm_the_collector() -> None:
    """Collect garbage more rarely: our messages have no cycles, and each pass costs latency."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until `stop` is set; says whether it is."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Run side by side; when the first returns or fails, the others end too."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()
