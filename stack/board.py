"""What a running stack tells about itself, in a file beside a lock that only the living hold."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from time import sleep

import msgspec

from stack.errors import StackFault
from stack.layout import LOOPBACK, Layout, Ports
from stack.processes import WALL
from stack.supervisor import Standing

TRIES = 4


class Phase(msgspec.Struct, frozen=True):
    """One step of starting, and how long it took."""

    name: str
    seconds: float


class Servers(msgspec.Struct, frozen=True):
    """Where the stack's servers answer; the addresses hold passwords, so the file is private."""

    url: str
    postgres_dsn: str
    postgres_owner_dsn: str
    kafka: str
    provider: str = ""


class Board(msgspec.Struct, frozen=True):
    """The state of the stack as its supervisor last wrote it."""

    pid: int
    port_base: int
    since: datetime
    up: bool = False
    servers: Servers | None = None
    phases: tuple[Phase, ...] = ()
    processes: tuple[Standing, ...] = ()
    fault: str = ""
    metrics_port: int = 0


class Told(msgspec.Struct, frozen=True):
    """What a script wants to know of a stack that is up; holds no secrets."""

    url: str
    ports: dict[str, int]
    phases: dict[str, float]
    processes: tuple[Standing, ...]
    servers_only: bool


def told(board: Board, *, servers_only: bool) -> Told:
    """The same as the board, for others; `phases` are seconds."""
    assert board.servers is not None
    ports = asdict(Ports.from_base(board.port_base))
    if wall_url(board) is None:
        del ports["wall"]
    return Told(
        url=board.servers.url,
        ports=ports,
        phases={phase.name: phase.seconds for phase in board.phases},
        processes=board.processes,
        servers_only=servers_only,
    )


def wall_url(board: Board) -> str | None:
    """Where the wall's page is, if this stack runs one."""
    if not any(each.name == WALL for each in board.processes):
        return None
    return f"http://{LOOPBACK}:{Ports.from_base(board.port_base).wall}"


@contextmanager
def holding(layout: Layout) -> Generator[None]:
    """Own the state directory; the kernel lets go of the lock however we end."""
    handle = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(handle):
            raise already_running(layout)
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        layout.state.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


def already_running(layout: Layout) -> StackFault:
    """Why another cannot be started here, and where the one that runs answers."""
    seen = read(layout)
    place = f" and answers at {seen.servers.url}" if seen and seen.up and seen.servers else ""
    return StackFault(
        "already_running",
        f"a stack already runs on {layout.root} (pid {_owner(layout) or 'unknown'}){place}",
        "Stop it with `quire down`, or start another with --state-dir and --port-base.",
    )


def running(layout: Layout) -> int | None:
    """Give the pid of the supervisor that holds the lock, if one lives."""
    if not layout.lock.is_file():
        return None
    handle = os.open(layout.lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(layout)
    finally:
        os.close(handle)
    return None


def write(layout: Layout, board: Board) -> None:
    """Put the new state in place of the old in one step."""
    part = layout.state.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(msgspec.json.encode(board))
    part.replace(layout.state)


def read(layout: Layout) -> Board | None:
    """Read the state, if a stack ever wrote one here that this code understands."""
    try:
        return msgspec.json.decode(layout.state.read_bytes(), type=Board)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _taken(handle: int) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.05)  # it may be someone who only looks, as `quire status` does
        else:
            return True
    return False


def _owner(layout: Layout) -> int | None:
    text = layout.lock.read_text()
    return int(text) if text else None
