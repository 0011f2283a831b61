"""The stack that is hurt: one of our own, with proxies between its processes and its servers."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import Signals

from bench import cpu
from bench.faults.plan import SESSION_SECONDS
from bench.faults.proxy import Proxy
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
DAY = 86_400

SETTINGS = {
    "QUIRE_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
    "QUIRE_SWEEP_AFTER_SECONDS": "4",
    "QUIRE_CARRIER_STEP_SECONDS": str(CARRIER_STEP_SECONDS),
    "QUIRE_RESERVATION_MINUTES": "0.3",
    "QUIRE_RESERVATION_IN_ALL_MINUTES": "0.6",
    "QUIRE_AUTHENTICATION_MINUTES": "0.2",
    "QUIRE_RETURN_WINDOW_DAYS": str(RETURN_WINDOW_SECONDS / DAY),
    "QUIRE_SEAL_EVERY_SECONDS": "1",
}
"""Short deadlines: within a minute every order comes to the end of its life."""


class Arena:
    """Where everything of the stack is, and what can be reached of it."""

    def __init__(
        self, layout: Layout, seen: Board, through: Through | None, proxies: Mapping[str, Proxy]
    ) -> None:
        if seen.servers is None:
            raise StackFault("not_up", f"the stack on {layout.root} is not up", "Try again.")
        self.layout = layout
        self.servers: Servers = seen.servers
        self.proxies = proxies
        self._port_base = seen.port_base
        self._through = through
        self._extras = 0

    @property
    def own(self) -> bool:
        return self._through is not None

    @property
    def ledger(self) -> Path:
        return self.layout.root / "provider" / "ledger.jsonl"

    def standings(self) -> dict[str, Standing]:
        """Every process as its supervisor sees it."""
        seen = board.read(self.layout)
        return {each.name: each for each in seen.processes} if seen else {}

    def signal(self, name: str, signal: Signals) -> list[int]:
        """Send it to a process, to stop or go on to its children too; gives whom it reached.

        The children of who is killed go on first if they were stopped: the dead do not freeze.
        """
        standing = self.standings().get(name)
        if standing is None or standing.pid is None:
            return []
        whole = signal in (Signals.SIGSTOP, Signals.SIGCONT)
        tree = _tree(standing.pid)
        reached = reach(tree if whole else [standing.pid], signal)
        if not whole:
            reach(tree, Signals.SIGCONT)
        return reached

    def extra(self, name: str) -> Spec:
        """One more worker beside the stack's own, with no name of its own in its group."""
        self._extras += 1
        ready = self.layout.run / f"extra-{self._extras}.ready"
        servers = self.servers
        env = {
            **(SETTINGS if self.own else {}),
            "QUIRE_POSTGRES_DSN": servers.postgres_dsn,
            "QUIRE_KAFKA": servers.kafka,
            "QUIRE_PROVIDER_URL": servers.provider,
            **(self._through.env(servers.postgres_dsn, servers.provider) if self._through else {}),
            **processes.mail_env(Ports.from_base(self._port_base).mail),
            "QUIRE_STATE_DIR": str(self.layout.root),
            "QUIRE_READY_FILE": str(ready),
            "QUIRE_INSTANCE": "",
        }
        return Spec(
            name=f"extra-{self._extras}-{name}",
            argv=(sys.executable, "-m", "cli.main", "run", *processes.WORDS[name]),
            log=self.layout.log(f"extra-{name}"),
            ready=file_says_ready(ready),
            env=env,
        )


@asynccontextmanager
async def own_stack(
    root: Path, port_base: int | None, say: Callable[[str], None]
) -> AsyncGenerator[Arena]:
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
        yield Arena(layout, seen, through, proxies)
    finally:
        await asyncio.to_thread(control.down, layout)
        for proxy in proxies.values():
            await proxy.stop()


def running_stack(root: Path) -> Arena:
    """A stack that somebody else started; without proxies."""
    layout = Layout.at(root)
    seen = board.read(layout) if board.running(layout) is not None else None
    if seen is None or not seen.up:
        raise StackFault("not_up", f"no stack runs on {layout.root}", "Start it with `quire up`.")
    return Arena(layout, seen, None, {})


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


def reach(pids: list[int], signal: Signals) -> list[int]:
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
    children: dict[int, list[int]] = {}
    for used in cpu.processes().values():
        children.setdefault(used.parent, []).append(used.pid)
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found
