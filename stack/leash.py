"""Ends a process when its supervisor has died, where the kernel does not do that for us.

`python -m stack.leash SUPERVISOR SIGNAL COMMAND...` becomes the command, under the same pid, and
leaves a small watcher beside it.
"""

import os
import sys
from collections.abc import Sequence
from time import sleep

LOOK_SECONDS = 0.5


def command(supervisor: int, signal: int, argv: Sequence[str]) -> tuple[str, ...]:
    """Give the command that runs `argv` on a leash."""
    return (sys.executable, "-m", "stack.leash", str(supervisor), str(signal), *argv)


def watch(supervisor: int, signal: int, leashed: int) -> None:
    """Look until either is gone. While we are its child, the leashed one's pid is its own."""
    while os.getppid() == leashed:
        if not _lives(supervisor):
            os.kill(leashed, signal)
            return
        sleep(LOOK_SECONDS)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, as somebody else
        return True
    return True


def main() -> None:
    supervisor, signal = int(sys.argv[1]), int(sys.argv[2])
    leashed = os.getpid()
    if os.fork() == 0:
        watch(supervisor, signal, leashed)
        os._exit(0)
    os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606  (the command is the supervisor's own)


if __name__ == "__main__":
    main()
