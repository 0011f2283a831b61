"""One process of the stack: how it is started, when it is ready, how it is stopped."""

import asyncio
import ctypes
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from stack import leash

LINUX = sys.platform == "linux"
LOG_BYTES = 10_000_000
SET_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Spec:
    """What it takes to run one process."""

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Callable[[], object] = lambda: None
    stop_signal: Signals = Signals.SIGTERM
    orphan_signal: Signals = Signals.SIGKILL
    user: int | None = None
    stop_seconds: float = 10.0
    stop_note: str = ""


async def spawn(spec: Spec) -> Process:
    """Start it, in a session of its own, so that a Ctrl-C meant for us does not reach it."""
    spec.before()
    _rotate(spec.log)
    with spec.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(spec.argv if LINUX else leash.command(os.getpid(), spec.orphan_signal, spec.argv)),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **spec.env},
            cwd="/" if spec.user is not None else None,
            start_new_session=True,
            preexec_fn=_tie(spec.orphan_signal) if LINUX else None,
            user=spec.user,
            group=spec.user,
            extra_groups=None if spec.user is None else [],
        )


def file_says_ready(file: Path) -> Callable[[], Awaitable[bool]]:
    """Be ready when the process has written `ready` to the file it was given."""

    async def ready() -> bool:
        return file.is_file() and file.read_text().startswith("ready")

    return ready


def last_lines(log: Path, count: int = 15) -> str:
    """Give the end of a log, for the person who must mend what it tells."""
    if not log.is_file():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 8192))
        lines = stream.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-count:])


def _tie(orphan_signal: Signals) -> Callable[[], None]:
    """Let the kernel end the process when we die, even by kill -9 (elsewhere the leash does it)."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(SET_DEATH_SIGNAL, int(orphan_signal))
        if os.getppid() != parent:  # we died before the line above
            os._exit(1)

    return tie


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
