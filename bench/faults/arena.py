"""The stack that is hurt, and the one on this machine: with proxies before its servers if ours."""

import asyncio
import os
import shutil
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import Signals

from bench import cpu
from bench.faults.plan import SESSION_SECONDS
from bench.faults.proxy import Proxy
from gateways.mailbox import Mailbox
from stack import board, control, processes
from stack.board import Board, Servers
from stack.errors import StackFault
from stack.layout import Layout, Ports
from stack.ports import free_in_a_row, require_free
from stack.process import Spec, file_says_ready
from stack.supervisor import Standing
from stack.through import PORTS, Through

CARRIER_STEP_SECONDS = 0.7
RETURN_WINDOW_SECONDS = 20
LONGEST_PAUSE_SECONDS = 15
DAY = 86_400

SETTINGS = {
    "QUIRE_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
    "QUIRE_SWEEP_AFTER_SECONDS": "4",
    "QUIRE_CARRIER_STEP_SECONDS": str(CARRIER_STEP_SECONDS),
    "QUIRE_RESERVATION_MINUTES": "0.3",
    "QUIRE_RESERVATION_IN_ALL_MINUTES": "0.6",
    "QUIRE_AUTHENTICATION_MINUTES": "0.2",
    "QUIRE_RETURN_WINDOW_DAYS": str(RETURN_WINDOW_SECONDS / DAY),
    "QUIRE_PAYMENT_RETRY_LONGEST_SECONDS": str(LONGEST_PAUSE_SECONDS),
    "QUIRE_NOTIFY_RETRY_LONGEST_SECONDS": str(LONGEST_PAUSE_SECONDS),
    "QUIRE_SEAL_EVERY_SECONDS": "1",
}
"""Short deadlines: within a minute of the last injury every order comes to the end of its life.

Pauses that double all through a long run would be longer at its end than it may take to settle.
"""


Heal = Callable[[], object]


class Arena(ABC):
    """Where everything of the stack is, and what can be done to it."""

    servers: Servers
    proxies: Mapping[str, Proxy]
    state_dir: Path  # where a verb looks for keys and the ledger
    env: Mapping[str, str]  # what a verb is told besides
    own: bool  # whether it ends with the run, and so lives by short deadlines

    @abstractmethod
    def standings(self) -> dict[str, Standing]:
        """Every process as who runs it sees it."""

    @abstractmethod
    def kill(self, name: str) -> bool:
        """Kill -9; says whether anybody was there."""

    @abstractmethod
    def freeze(self, name: str) -> Heal | None:
        """Stop a process with all that it started; gives what lets it go on."""

    @abstractmethod
    def disconnect(self, name: str) -> Heal | None:
        """Take a process from the network; gives what brings it back."""

    @abstractmethod
    def extra(self, name: str) -> Spec | None:
        """One more worker beside the stack's own, with no name of its own in its group."""

    @abstractmethod
    def ledger(self) -> Path:
        """The provider's ledger as it is now."""

    @abstractmethod
    def mails(self) -> dict[str, int] | None:
        """How often each message came, by id; None when nothing keeps them."""

    @abstractmethod
    def log_of(self, name: str) -> str:
        """Where a person finds what a process said."""


class LocalArena(Arena):
    """A stack under the supervisor of this machine."""

    def __init__(
        self, layout: Layout, seen: Board, through: Through | None, proxies: Mapping[str, Proxy]
    ) -> None:
        if seen.servers is None:
            raise StackFault("not_up", f"the stack on {layout.root} is not up", "Try again.")
        self._layout = layout
        self.state_dir = layout.root
        self.env = {}
        self.own = through is not None
        self.servers = seen.servers
        self.proxies = proxies
        self._port_base = seen.port_base
        self._through = through
        self._extras = 0

    def ledger(self) -> Path:
        return self.state_dir / "provider" / "ledger.jsonl"

    def mails(self) -> dict[str, int] | None:
        directory = self.state_dir / "mail"
        return Mailbox(directory).held() if directory.is_dir() else None

    def log_of(self, name: str) -> str:
        return str(self._layout.log(name))

    def standings(self) -> dict[str, Standing]:
        seen = board.read(self._layout)
        return {each.name: each for each in seen.processes} if seen else {}

    def kill(self, name: str) -> bool:
        return bool(self._signal(name, Signals.SIGKILL))

    def freeze(self, name: str) -> Heal | None:
        reached = self._signal(name, Signals.SIGSTOP)

        def thaw() -> None:
            self._signal(name, Signals.SIGCONT)
            _reach(reached, Signals.SIGCONT)

        return thaw if reached else None

    def disconnect(self, name: str) -> Heal | None:
        return None  # the proxies cut its wires

    def _signal(self, name: str, signal: Signals) -> list[int]:
        """Send it to a process, to stop or go on to its children too; gives whom it reached.

        The children of who is killed go on first if they were stopped: the dead do not freeze.
        """
        standing = self.standings().get(name)
        if standing is None or standing.pid is None:
            return []
        whole = signal in (Signals.SIGSTOP, Signals.SIGCONT)
        tree = _tree(standing.pid)
        reached = _reach(tree if whole else [standing.pid], signal)
        if not whole:
            _reach(tree, Signals.SIGCONT)
        return reached

    def extra(self, name: str) -> Spec | None:
        self._extras += 1
        ready = self._layout.run / f"extra-{self._extras}.ready"
        servers = self.servers
        env = {
            **(SETTINGS if self.own else {}),
            "QUIRE_POSTGRES_DSN": servers.postgres_dsn,
            "QUIRE_KAFKA": servers.kafka,
            "QUIRE_PROVIDER_URL": servers.provider,
            **(self._through.env(servers.postgres_dsn, servers.provider) if self._through else {}),
            **processes.mail_env(Ports.from_base(self._port_base).mail),
            "QUIRE_STATE_DIR": str(self._layout.root),
            "QUIRE_READY_FILE": str(ready),
            "QUIRE_INSTANCE": "",
        }
        return Spec(
            name=f"extra-{self._extras}-{name}",
            argv=(sys.executable, "-m", "cli.main", "run", *processes.WORDS[name]),
            log=self._layout.log(f"extra-{name}"),
            ready=file_says_ready(ready),
            env=env,
        )


@asynccontextmanager
async def own_stack(
    root: Path, port_base: int | None, say: Callable[[str], None]
) -> AsyncGenerator[LocalArena]:
    """Run a stack with the settings above while the block lasts."""
    layout = Layout.at(root)
    if board.running(layout) is not None:
        raise StackFault(
            "already_running",
            f"a stack runs on {layout.root}",
            "It is left alone. Name another directory, or --running to hurt this one.",
        )
    ports = len(Ports.__dataclass_fields__)
    base = port_base or free_in_a_row(ports + PORTS)
    stack = Ports.from_base(base)
    # Where the stack's ports are given, those of the proxy come after them.
    through = Through.from_base(base + ports)
    proxies = {
        "postgres": Proxy(through.postgres, stack.postgres),
        "kafka": Proxy(through.kafka, through.kafka_behind),
        "provider": Proxy(through.provider, stack.provider),
    }
    require_free({f"the proxy before {name}": getattr(through, name) for name in proxies})
    env = {**SETTINGS, "QUIRE_THROUGH_PORT": str(through.postgres)}
    words = ["up", "--state-dir", str(layout.root), "--port-base", str(base)]
    try:
        for proxy in proxies.values():
            await proxy.start()
        seen = await asyncio.to_thread(control.detach, layout, words, say, env)
        yield LocalArena(layout, seen, through, proxies)
    finally:
        await asyncio.to_thread(control.down, layout)
        for proxy in proxies.values():
            await proxy.stop()


def running_stack(root: Path) -> LocalArena:
    """A stack that somebody else started; without proxies."""
    layout = Layout.at(root)
    seen = board.read(layout) if board.running(layout) is not None else None
    if seen is None or not seen.up:
        raise StackFault("not_up", f"no stack runs on {layout.root}", "Start it with `quire up`.")
    return LocalArena(layout, seen, None, {})


@contextmanager
def scratch() -> Generator[Path]:
    """A directory that Postgres' own user can pass too; what was linked from it goes with it."""
    directory = Path(tempfile.mkdtemp(prefix="quire-faults-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        data = directory / "postgres"
        if data.is_symlink():
            shutil.rmtree(data.resolve(), ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def _reach(pids: list[int], signal: Signals) -> list[int]:
    """Signal those of them that still live."""
    reached: list[int] = []
    for pid in pids:
        try:
            os.kill(pid, signal)
        except ProcessLookupError:
            continue
        reached.append(pid)
    return reached


def _tree(pid: int) -> list[int]:
    """A process and all that it started: Postgres serves each client by a child."""
    if not cpu.can_read():
        return [pid]
    return cpu.tree(pid, cpu.processes())
