"""How many processes a long read of the log may be, and how the others begin."""

import os
import sys
from multiprocessing import get_context

CONTEXT = get_context("fork" if sys.platform == "linux" else "spawn")
"""A fresh Python imports for 0.3 s; one that is forked has nothing to import."""


class ProcessLost(Exception):
    """A process that had a part of the work ended before it was done: there is no result."""


def processors() -> int:
    """The processors that this process may run on; one is enough for everything."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
