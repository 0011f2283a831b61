"""Where a process spends its CPU time, sampled while it works, for QUIRE_PROFILE=DIRECTORY."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.002  # of CPU time, so that who waits is not seen waiting
DEEPEST = 60


@contextmanager
def sampled(directory: str | None) -> Generator[None]:
    """Write the stacks seen, outermost call first, one line each with its count, in the end."""
    if not directory:
        yield
        return
    seen: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        seen[_stack(frame)] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        name = "-".join((*sys.argv[1:], str(os.getpid())))
        lines = (f"{stack} {count}\n" for stack, count in seen.most_common())
        Path(directory).mkdir(parents=True, exist_ok=True)
        (Path(directory) / f"{name}.stacks").write_text("".join(lines))


def _stack(frame: FrameType | None) -> str:
    names: list[str] = []
    while frame is not None and len(names) < DEEPEST:
        code = frame.f_code
        module = frame.f_globals.get("__name__", "?")
        names.append(f"{module}:{code.co_qualname}")
        frame = frame.f_back
    return ";".join(reversed(names))
