"""A whole Quire that the tests may look into and hurt, wherever its processes run."""

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from cli.provider_client import entries
from cli.servers import Servers
from gateways.ledger import Entry

QUIRE = Path(sys.executable).with_name("quire")
CARRIER_STEP_SECONDS = 0.8
"""Quick, and yet slow enough to cancel before the hand-over."""

QUICK = {
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


class Mail(NamedTuple):
    """A message that left, and how often it came."""

    id: str
    subject: str
    times: int


class Killed(Protocol):
    """A process that was ended by kill -9."""

    def is_back(self) -> bool:
        """Whether another has taken its place and works."""
        ...

    def is_told(self) -> bool:
        """Whether who runs it says that it ended, once, and was started again."""
        ...


class Stack(ABC):
    """What the tests know of a target beside its API: servers, ledger, mails, processes."""

    url: str
    state_dir: Path
    provider: str

    @property
    @abstractmethod
    def servers(self) -> Servers:
        """Where they answer, as this machine reaches them."""

    @abstractmethod
    def told(self) -> Mapping[str, str]:
        """The environment in which a verb finds this stack."""

    @abstractmethod
    def admin_dsn(self) -> str:
        """The superuser on the stack's database."""

    @abstractmethod
    def kill(self, name: str) -> Killed:
        """End a process, or a server, by kill -9; it comes back."""

    @abstractmethod
    def is_healthy(self) -> bool:
        """Whether every process says that it is well."""

    def quire(self, *words: str, seconds: float = 60) -> Said:
        """Run a verb against this stack, as a person does."""
        return quire(
            *words, url=self.url, state_dir=self.state_dir, seconds=seconds, more=self.told()
        )

    def mails_to(self, email: str) -> list[Mail]:
        """What came to this address, newest first."""
        listed = self.quire("mail", "list", "--limit", "10000", "--json").lines
        return [
            Mail(mail["id"], mail["subject"], mail["times"])
            for mail in listed
            if email in mail["to"]
        ]

    def text_of(self, mail: Mail) -> str:
        """The plain text of a message."""
        return self.quire("mail", "show", mail.id, "--json").json["text"]

    def ledger(self, order_id: str) -> list[Entry]:
        """What the provider's own books hold of an order, without what it declined."""
        return [one for one in entries(self.provider, order_id) if one.outcome == "approved"]

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
        env={**os.environ, **QUICK, **told, **more},
    )
    return Said(done.returncode, done.stdout, done.stderr)
