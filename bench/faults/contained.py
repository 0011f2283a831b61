"""The containers of a compose project as the stack that is hurt: killed, paused, disconnected."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import httpx

from bench.faults.arena import Arena, Heal
from gateways.mailpit import Mailpit
from stack.board import Servers
from stack.containers import REFUSED, Project, project
from stack.errors import StackFault
from stack.process import Spec
from stack.reached import reached
from stack.supervisor import Standing

T = TypeVar("T")
BOX_HOLDS = 500  # what the mail sink's image keeps: older ones it forgets


class ContainedArena(Arena):
    """What can be done to it goes through the engine; it keeps its own settings."""

    def __init__(self, project: Project, servers: Servers, state_dir: Path) -> None:
        self._project = project
        self.servers = servers
        self.proxies = {}
        self.own = False
        self.state_dir = state_dir
        self.env = {
            "QUIRE_POSTGRES_DSN": self.servers.postgres_dsn,
            "QUIRE_POSTGRES_OWNER_DSN": self.servers.postgres_owner_dsn,
            "QUIRE_KAFKA": self.servers.kafka,
            "QUIRE_PROVIDER_URL": self.servers.provider,
        }
        (state_dir / "provider").mkdir()
        (state_dir / "seal.pub").write_bytes(project.file("sealer", "/var/lib/quire/seal.pub"))

    def standings(self) -> dict[str, Standing]:
        return self._project.standings()

    def kill(self, name: str) -> bool:
        return _unless_refused(partial(self._project.kill, name)) is not None

    def freeze(self, name: str) -> Heal | None:
        return _later(_unless_refused(partial(self._project.pause, name)))

    def disconnect(self, name: str) -> Heal | None:
        return _later(_unless_refused(partial(self._project.disconnect, name)))

    def extra(self, name: str) -> Spec | None:
        return None

    def ledger(self) -> Path:
        file = self.state_dir / "provider" / "ledger.jsonl"
        answer = httpx.get(f"{self.servers.provider}/v1/ledger", timeout=60)
        file.write_bytes(answer.raise_for_status().content)
        return file

    def mails(self) -> dict[str, int] | None:
        with httpx.Client(base_url=self._project.mail_page(), timeout=30) as http:
            held = Mailpit(http).held()
        return held if sum(held.values()) < BOX_HOLDS else None

    def log_of(self, name: str) -> str:
        return f"docker compose --project-name {self._project.name} logs {name}"


def _later(heal: Heal | None) -> Heal | None:
    return partial(_unless_refused, heal) if heal else None


def _unless_refused(do: Callable[[], T]) -> T | None:
    """Injuries meet: who was killed meanwhile is not paused any more."""
    try:
        return do()
    except StackFault as fault:
        if fault.code != REFUSED:
            raise
        return None


@contextmanager
def contained(name: str) -> Generator[ContainedArena]:
    """The project's containers, as long as the block lasts."""
    with (
        project(name) as found,
        reached(found) as servers,
        TemporaryDirectory(prefix="quire-faults-") as directory,
    ):
        yield ContainedArena(found, servers, Path(directory))
