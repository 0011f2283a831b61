"""The target `local`: a stack of the tests' own, brought up, asked and taken down by `quire`."""

import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.servers import Servers, servers
from stack import board
from stack.layout import LOOPBACK, Layout
from stack.ports import free_in_a_row
from stack.processes import metrics_ports
from stack.secrets import load_or_make
from stack.supervisor import Standing, State
from tests.acceptance.stack import Json, Said, Stack
from tests.integration.state_dirs import state_dir

PORTS = 9
PAGES = len(metrics_ports(1))
ATTIC = "attic"
REFUSING = {"QUIRE_CARRIER_REFUSES": f"{ATTIC}:first", "QUIRE_LABEL_REFUSALS": "1"}
"""The carrier has to be asked twice to fetch something there."""


class Laptop(Stack):
    """One state directory, the ports that its stack takes, and its supervisor."""

    def __init__(self, root: Path, told: Mapping[str, str]) -> None:
        self.state_dir = root
        self.port_base = free_in_a_row(PORTS + PAGES)
        self.metrics_ports = metrics_ports(self.port_base + PORTS)
        self._told = {**told, "QUIRE_METRICS_PORT": str(self.port_base + PORTS)}
        self.url = f"http://{LOOPBACK}:{self.port_base}"
        self.provider = f"http://{LOOPBACK}:{self.port_base + 4}"

    def told(self) -> Mapping[str, str]:
        return self._told

    @property
    def root(self) -> Path:
        return self.state_dir

    def up(self) -> Said:
        base = str(self.port_base)
        said = self.quire("up", "--detach", "--port-base", base, "--json", seconds=300)
        assert said.code == 0, said.err
        return said

    def down(self) -> None:
        said = self.quire("down", seconds=90)
        assert said.code == 0, said.err

    @property
    def servers(self) -> Servers:
        return servers(self.root)

    def admin_dsn(self) -> str:
        secrets = load_or_make(Layout(self.root).secrets)
        return secrets.admin_dsn(self.port_base + 1, "quire")

    @property
    def status(self) -> Json:
        return self.quire("status", "--json").json

    def is_healthy(self) -> bool:
        return self.status["healthy"]

    def process(self, name: str) -> Standing:
        """The same as `quire status` says, without a process for each look."""
        seen = board.read(Layout(self.root))
        assert seen is not None
        return next(each for each in seen.processes if each.name == name)

    def kill(self, name: str) -> "Ended":
        ended = Ended(self, name)
        os.kill(ended.pid, signal.SIGKILL)
        return ended

    @property
    def said(self) -> str:
        """What the supervisor told."""
        return (self.root / "log" / "stack.log").read_text()


class Ended:
    """A process of the laptop's, as it was before it was killed."""

    def __init__(self, stack: Laptop, name: str) -> None:
        before = stack.process(name)
        assert before.pid is not None
        self.pid = before.pid
        self._stack = stack
        self._name = name
        self._restarts = before.restarts
        self._told = stack.said.count(self._line)

    @property
    def _line(self) -> str:
        return f"{self._name} ended (signal 9)"

    def is_back(self) -> bool:
        seen = self._stack.process(self._name)
        return seen.state is State.READY and seen.pid != self.pid

    def is_told(self) -> bool:
        again = self._stack.process(self._name).restarts > self._restarts
        return again and self._stack.said.count(self._line) == self._told + 1


@contextmanager
def new_stack(**settings: str) -> Generator[Laptop]:
    """Give a stack that is up, with some settings of its own, and leave nothing of it."""
    with state_dir() as layout:
        stack = Laptop(layout.root, settings)
        try:
            stack.up()
            yield stack
        finally:
            stack.down()
