"""`quire up|down|status|doctor|version`: the local stack."""

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import (
    Exit,
    Failure,
    differs,
    emit,
    emit_line,
    json_option,
    port_base_option,
    say,
    state_dir_option,
)

if TYPE_CHECKING:
    from stack.control import Status

MORE = ("wall",)
TRY = """
Quire is up at {url} (the pages of the API: {url}/docs){wall}. Try:
  {quire} order place --demo --wait 5
  {quire} tail
  {quire} status
"""


@click.command()
@state_dir_option
@port_base_option
@click.option("--detach", is_flag=True, help="Return when all is up; it runs on.")
@click.option(
    "--with",
    "more",
    type=click.Choice(MORE),
    multiple=True,
    help="Run this besides: the order wall, a page that shows orders as they happen.",
)
@click.option(
    "--servers-only",
    is_flag=True,
    help="Only Kafka and Postgres: for `quire topics grow|repair`, and to run the rest by hand.",
)
@json_option
def up(
    state_dir: Path,
    port_base: int,
    more: tuple[str, ...],
    *,
    detach: bool,
    servers_only: bool,
    as_json: bool,
) -> None:
    """Start Kafka, Postgres and every process of ours; Ctrl-C stops them.

    With --json one line on stdout once all is up: url, ports, seconds of each phase, processes.
    """
    from stack import control
    from stack.board import Board, holding, told, wall_url
    from stack.layout import Layout
    from stack.settings import Settings
    from stack.up import Up

    def when_up(board: Board) -> None:
        assert board.servers is not None
        if as_json:
            emit_line(told(board, servers_only=servers_only))
            return
        if servers_only:
            say(f"Kafka answers at {board.servers.kafka}; nothing of Quire runs")
            return
        page = wall_url(board)
        wall = f", the order wall at {page}" if page else ""
        say(TRY.format(url=board.servers.url, quire=_own_name(), wall=wall))

    if more and servers_only:
        raise click.UsageError("--with and --servers-only exclude each other")
    with _faults():
        settings = Settings()  # told here what is wrong with them, not in a log
        layout = Layout.at(state_dir)
        if detach:
            words = ["up", "--state-dir", str(layout.root), "--port-base", str(port_base)]
            words += ["--servers-only"] if servers_only else []
            words += [word for each in more for word in ("--with", each)]
            when_up(control.detach(layout, words, say))
            return
        with holding(layout):
            stack = Up(
                layout, port_base, settings, say, _progress(),
                servers_only=servers_only, wall="wall" in more,
            )  # fmt: skip
            asyncio.run(stack.run(when_up))


@click.command()
@state_dir_option
def down(state_dir: Path) -> None:
    """Stop the stack; its data stays."""
    from stack import control
    from stack.layout import Layout

    with _faults():
        layout = Layout(state_dir.absolute())  # looked at, and never made
        stopped = control.down(layout)
    say("stopped" if stopped else f"no stack runs on {layout.root}: there was nothing to stop")


@click.command()
@state_dir_option
@json_option
def status(state_dir: Path, *, as_json: bool) -> None:
    """Show what runs, and how far behind it is. Exit code 3 when nothing does."""
    from stack import control
    from stack.layout import Layout

    with _faults():
        layout = Layout(state_dir.absolute())
        seen = asyncio.run(control.status(layout))
    emit(seen, as_json=as_json, text=lambda: _table(seen, layout.root))
    if seen.pid is None:
        raise SystemExit(Exit.NOT_REACHABLE)
    if not seen.healthy:
        differs()


@click.command()
@state_dir_option
@port_base_option
@json_option
def doctor(state_dir: Path, port_base: int, *, as_json: bool) -> None:
    """Look for what would keep the stack from running; say how to mend it."""
    from stack import doctor as stack_doctor
    from stack.layout import Layout
    from stack.settings import Settings

    with _faults():
        findings = stack_doctor.examine(Layout.at(state_dir), port_base, Settings())
    for finding in findings:
        if as_json:
            emit_line(finding)
        else:
            click.echo(f"{finding.what}\n  {finding.fix}")
    if findings:
        differs()
    say("nothing found")


@click.command()
@json_option
def version(*, as_json: bool) -> None:
    """Print the versions of Quire and of what it stands on."""
    from stack.versions import versions

    found = versions()
    emit(found, as_json=as_json, text=lambda: "\n".join(f"{k:<18} {v}" for k, v in found.items()))


@contextmanager
def _faults() -> Generator[None]:
    """Turn what the stack complains of into a failure of the command line."""
    from stack.errors import StackFault

    try:
        yield
    except StackFault as fault:
        far = fault.code == "not_reachable"
        code = Exit.NOT_REACHABLE if far else Exit.REFUSED
        raise Failure(fault.code, fault.message, hint=fault.hint, exit_code=code) from fault


def _progress() -> Callable[[str], None]:
    """Overwrite one line on a terminal; say nothing where a line would stay."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda message: click.echo(f"\r{message}\033[K\r", err=True, nl=False)


def _own_name() -> str:
    """Name the command as it can be typed here."""
    script = Path(sys.executable).with_name("quire")
    here = Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else "quire"


def _table(status: "Status", root: Path) -> str:
    if status.pid is None:
        return f"no stack runs on {root}; start one with `quire up`"
    rows = [f"{'process':<20} {'state':<9} {'pid':>8} {'restarts':>8} {'since':<20} lag"]
    for each in status.processes:
        lag = f"{each.lag.records} records, {each.lag.seconds:.1f} s" if each.lag else ""
        since = f"{each.since.astimezone():%Y-%m-%d %H:%M:%S}"
        pid = each.pid or ""
        row = f"{each.name:<20} {each.state:<9} {pid:>8} {each.restarts:>8} {since:<20} {lag}"
        rows.append(row.rstrip())
    rows += [f"{each.name}: {each.why}" for each in status.processes if each.why]
    if status.parked:
        rows.append(f"parked: {status.parked}; see `quire parked list`")
    rows.append(f"{'healthy' if status.healthy else 'NOT healthy'} at {status.url}")
    return "\n".join(rows)
