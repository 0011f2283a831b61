"""The stack that a load is put on: one that runs already, or one started for it alone."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from bench import cpu
from gateways.ledger import Entry, parse_ledger, read_ledger
from stack import board, control
from stack.board import Board
from stack.containers import project
from stack.errors import StackFault
from stack.layout import Layout
from stack.reached import reached

NOBODY = 0  # no process has this id


class Target(NamedTuple):
    """Where everything is: addresses, process ids, the provider's ledger."""

    postgres_dsn: str
    kafka: str
    url: str
    supervisor: int
    processes: dict[str, int]
    ledger: Path | None  # none: the provider is asked for it
    provider: str
    contained: bool = False

    def backend(self, number: int) -> int:
        """This machine's id of a process that Postgres gave this number; 0 if it is elsewhere."""
        return (
            cpu.here(self.processes.get("postgres", NOBODY), number) if self.contained else number
        )

    def entries(self) -> list[Entry]:
        """The provider's ledger as it is now."""
        if self.ledger is not None:
            return list(read_ledger(self.ledger))
        answer = httpx.get(f"{self.provider}/v1/ledger", timeout=60).raise_for_status()
        return list(parse_ledger(answer.content.splitlines(keepends=True)))


def settings_for(entry: str, until: str) -> dict[str, str]:
    """What a stack of our own is told: nobody outside takes any time.

    For the core alone (from Kafka to confirmed) the provider is no process either.
    """
    core = (entry, until) == ("kafka", "confirmed")
    paused = "true" if until == "confirmed" else "false"
    return {
        "QUIRE_CARRIER_PAUSED": paused,
        # A mail costs as much as the rest of an order, and half of the contacts open for nobody.
        "QUIRE_SMTP_HOST": "",
        "QUIRE_CARRIER_STEP_SECONDS": "0.2",
        "QUIRE_PROVIDER_DELAY_SECONDS": "0",
        **({"QUIRE_PROVIDER_URL": ""} if core else {}),
    }


@contextmanager
def stack(
    state_dir: Path, port_base: int, settings: Mapping[str, str], say: Callable[[str], None]
) -> Generator[Target]:
    """Use the stack on this state directory as it is, or run one with the settings meanwhile."""
    layout = Layout.at(state_dir)
    if board.running(layout) is not None:
        say("a stack runs here already and keeps its own settings")
        yield _target(layout, board.read(layout))
        return
    words = ["up", "--state-dir", str(layout.root), "--port-base", str(port_base)]
    try:
        yield _target(layout, control.detach(layout, words, say, settings))
    finally:
        control.down(layout)


@contextmanager
def containers(name: str, say: Callable[[str], None]) -> Generator[Target]:
    """Use the containers of a compose project as they are."""
    with project(name) as found, reached(found) as servers:
        say(f"the containers of {name} keep their own settings")
        yield Target(
            postgres_dsn=servers.postgres_dsn,
            kafka=servers.kafka,
            url=servers.url,
            supervisor=NOBODY,
            processes=found.pids(),
            ledger=None,
            provider=servers.provider,
            contained=True,
        )


def _target(layout: Layout, seen: Board | None) -> Target:
    if seen is None or not seen.up or seen.servers is None:
        raise StackFault(
            "not_up", f"the stack on {layout.root} is not up", "Try again in a moment."
        )
    return Target(
        postgres_dsn=seen.servers.postgres_dsn,
        kafka=seen.servers.kafka,
        url=seen.servers.url,
        supervisor=seen.pid,
        processes={each.name: each.pid for each in seen.processes if each.pid is not None},
        ledger=layout.root / "provider" / "ledger.jsonl",
        provider=seen.servers.provider,
    )
