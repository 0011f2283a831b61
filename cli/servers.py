"""Where the servers answer that a verb speaks to: as told by the environment, else the stack's."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.output import Exit, Failure

if TYPE_CHECKING:
    from stack.board import Board


class Servers(msgspec.Struct, frozen=True):
    """Connection strings; `kafka` is a bootstrap address."""

    postgres_dsn: str
    postgres_owner_dsn: str
    kafka: str
    intake: str = ""
    """Where the stack's own intake takes events; empty for servers of one's own."""


def servers(state_dir: Path, *, writes: bool = False) -> Servers:
    """The servers of QUIRE_POSTGRES_DSN, QUIRE_POSTGRES_OWNER_DSN and QUIRE_KAFKA; what is not
    set there is taken from the stack that runs on `state_dir`. Who writes is told when the
    database's schema is not that of this code."""
    from cli.troubles import require_usable_servers
    from stack.board import read, running
    from stack.layout import Layout

    require_usable_servers()
    layout = Layout(state_dir.absolute())
    board = read(layout) if running(layout) is not None else None
    found = board.servers if board is not None else None
    told = Servers(
        os.environ.get("QUIRE_POSTGRES_DSN", found.postgres_dsn if found else ""),
        os.environ.get("QUIRE_POSTGRES_OWNER_DSN", found.postgres_owner_dsn if found else ""),
        os.environ.get("QUIRE_KAFKA", found.kafka if found else ""),
        _intake(board) if board else "",
    )
    if not told.postgres_dsn:
        raise Failure(
            "no_stack",
            f"no stack runs on {state_dir}",
            hint="Start it with `quire up`, or set QUIRE_POSTGRES_DSN and QUIRE_KAFKA.",
            exit_code=Exit.NOT_REACHABLE,
        )
    if writes:
        from store.schema import look

        asyncio.run(look(told.postgres_dsn))
    return told


def _intake(board: "Board") -> str:
    from stack.layout import Ports
    from stack.processes import intake_env

    return intake_env(Ports.from_base(board.port_base).intake)["QUIRE_REDRIVE_TARGETS"]
