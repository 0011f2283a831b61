"""A whole stack of the tests' own: brought up, asked, killed and taken down by `quire`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from cli.servers import Servers, servers
from gateways.ledger import Entry, read_ledger
from stack import board
from stack.layout import LOOPBACK, Layout
from stack.ports import free_in_a_row
from stack.supervisor import Standing, State
from tests.acceptance.wait import until
from tests.integration.servers import state_dir

QUIRE = Path(sys.executable).with_name("quire")
PORTS = 7
CARRIER_STEP_SECONDS = 0.8
"""Quick, and yet slow enough to cancel before the hand-over."""

_QUICK = {
    "QUIRE_CARRIER_STEP_SECONDS": str(CARRIER_STEP_SECONDS),
    "QUIRE_SESSION_TIMEOUT_SECONDS": "6",
    "QUIRE_SWEEP_AFTER_SECONDS": "4",
}

Json = dict[str, Any]


class Said(NamedTuple):
    """What a verb printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The one value of `--json`."""
        [line] = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[Json]:
        """The JSON Lines of a list."""
        return [json.loads(line) for line in self.out.splitlines()]


class Stack:
    """One state directory and the ports that its stack takes."""

    def __init__(self, root: Path, told: Mapping[str, str]) -> None:
        self.root = root
        self._told = told
        self.port_base = free_in_a_row(PORTS)
        self.url = f"http://{LOOPBACK}:{self.port_base}"

    def quire(self, *words: str, seconds: float = 60) -> Said:
        """Run a verb against this stack."""
        return quire(*words, url=self.url, state_dir=self.root, seconds=seconds, more=self._told)

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

    @property
    def status(self) -> Json:
        return self.quire("status", "--json").json

    def process(self, name: str) -> Standing:
        """The same as `quire status` says, without a process for each look."""
        seen = board.read(Layout(self.root))
        assert seen is not None
        return next(each for each in seen.processes if each.name == name)

    def kill(self, name: str) -> int:
        """End a process by kill -9; gives the pid that it had."""
        pid = self.process(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, old_pid: int) -> bool:
        seen = self.process(name)
        return seen.state is State.READY and seen.pid != old_pid

    def until_healthy(self, seconds: float = 60) -> None:
        until(lambda: self.status["healthy"], seconds, lambda: self.status)

    @property
    def said(self) -> str:
        """What the supervisor told."""
        return (self.root / "log" / "stack.log").read_text()

    def ledger(self, order_id: str) -> list[Entry]:
        """What the provider's own books hold of an order, without what it declined."""
        book = read_ledger(self.root / "provider" / "ledger.jsonl")
        return [one for one in book if one.order_id == order_id and one.outcome == "approved"]

    def taken(self, order_id: str, step: str) -> int:
        """How much the provider authorised, captured or refunded."""
        return sum(one.amount_minor for one in self.ledger(order_id) if one.step == step)


def quire(
    *words: str,
    url: str,
    state_dir: Path | None = None,
    seconds: float = 60,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Said:
    """Run a verb as a person does; the environment says where the stack is."""
    told = {"QUIRE_URL": url, **({"QUIRE_STATE_DIR": str(state_dir)} if state_dir else {})}
    done = subprocess.run(
        [QUIRE, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **_QUICK, **told, **more},
    )
    return Said(done.returncode, done.stdout, done.stderr)


@contextmanager
def new_stack(**settings: str) -> Generator[Stack]:
    """Give a stack that is up, with some settings of its own, and leave nothing of it."""
    with state_dir() as layout:
        stack = Stack(layout.root, settings)
        try:
            stack.up()
            yield stack
        finally:
            stack.down()
