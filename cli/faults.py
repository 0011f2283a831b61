"""`quire faults`: hurt a stack under load in every way there is, and hold it to account."""

import asyncio
import logging
import os
from contextlib import ExitStack
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING

import click

from cli.bench import Duration
from cli.output import Exit, Failure, Number, differs, emit, emit_line, json_option, say

if TYPE_CHECKING:
    from bench.faults.plan import Injury
    from bench.faults.report import Report


@click.command()
@click.option(
    "--for",
    "seconds",
    type=Duration(least=1),
    default=60.0,
    show_default="60s",
    help="How long orders come in and things are hurt, as 60s or 5m.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="The same seed: the same injuries. Else one is drawn, and told.",
)
@click.option(
    "--rate", type=Number(min=0.1), default=10, show_default=True, help="Orders a second."
)
@click.option(
    "--settle",
    type=Duration(),
    default=120.0,
    show_default="120s",
    help="How long all may take to settle; what has not by then is a finding.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would be done.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the stack keeps its data; by default a directory that is removed afterwards.",
)
@click.option(
    "--port-base", type=click.IntRange(1024, 65500), help="Its ports; by default some free ones."
)
@click.option(
    "--running", is_flag=True, help="HURT the stack that runs on --state-dir, without cuts."
)
@click.option(
    "--compose",
    metavar="PROJECT",
    help="HURT the containers of this compose project, through the engine.",
)
@click.option("--only-check", is_flag=True, help="Hurt nobody: check the stack that runs.")
@json_option
def faults(
    seconds: float,
    seed: int | None,
    rate: float,
    settle: float,
    state_dir: Path | None,
    port_base: int | None,
    compose: str | None,
    *,
    dry_run: bool,
    running: bool,
    only_check: bool,
    as_json: bool,
) -> None:
    """Kill, freeze and cut everything at random under load, then check that nothing was lost.

    Starts a stack of its own. Orders come in, some are cancelled or sent back; every process,
    Kafka and Postgres are killed and frozen, connections cut, answers lost and delayed. When all
    has settled, orders, money, stock, mails, views and the log are held against each other. What
    is done follows from the seed. Exit code 1 when anything is found.
    """
    from stack.errors import StackFault

    seed = randbelow(1_000_000) if seed is None else seed
    if dry_run:
        wires = not (running or compose)
        _print(_plan(seed, seconds, wires=wires, contained=bool(compose)), as_json=as_json)
        return
    try:
        if compose:
            work = _run_contained(compose, seed, seconds, rate, settle, only_check=only_check)
        else:
            work = _run(
                seed, seconds, rate, settle, state_dir, port_base, running or only_check, only_check
            )
        report = asyncio.run(work)
    except StackFault as fault:
        absent = fault.code in ("not_up", "no_engine")
        code = Exit.NOT_REACHABLE if absent else Exit.REFUSED
        raise Failure(fault.code, fault.message, hint=fault.hint, exit_code=code) from fault
    from bench.faults import report as reports

    emit(report, as_json=as_json, text=lambda: reports.text(report))
    if not report.ok:
        differs()
    if report.interrupted:
        raise SystemExit(Exit.INTERRUPTED)


async def _run(
    seed: int,
    seconds: float,
    rate: float,
    settle: float,
    state_dir: Path | None,
    port_base: int | None,
    running: bool,
    only_check: bool,
) -> "Report":
    from bench.faults.arena import own_stack, running_stack, scratch
    from bench.faults.checks import only
    from bench.faults.run import FaultRun, Wanted

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that Kafka is away is our doing
    wanted = Wanted(seed, seconds, rate, settle)
    if running:
        arena = running_stack(state_dir or Path(os.environ.get("QUIRE_STATE_DIR", ".quire")))
        if only_check:
            return await only(arena, settle, say)
        return await FaultRun(arena, wanted, _plan(seed, seconds, wires=False), say).run()
    with ExitStack() as open:
        root = state_dir or open.enter_context(scratch())
        say(f"seed {seed}: a stack of its own on {root}")
        async with own_stack(root, port_base, say) as arena:
            return await FaultRun(arena, wanted, _plan(seed, seconds, wires=True), say).run()


async def _run_contained(
    project: str, seed: int, seconds: float, rate: float, settle: float, *, only_check: bool
) -> "Report":
    from bench.faults.checks import only
    from bench.faults.contained import contained
    from bench.faults.run import FaultRun, Wanted

    for name in ("aiokafka", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contained(project) as arena:
        if only_check:
            return await only(arena, settle, say)
        plan = _plan(seed, seconds, wires=False, contained=True)
        say(f"seed {seed}: the containers of {project}")
        return await FaultRun(arena, Wanted(seed, seconds, rate, settle), plan, say).run()


def _plan(seed: int, seconds: float, *, wires: bool, contained: bool = False) -> "list[Injury]":
    from bench.faults.plan import SERVERS, WIRES, plan
    from stack.processes import MAIL, WORDS

    names = [*WORDS, *SERVERS]
    if contained:
        names.remove(MAIL)  # that sink holds its messages in memory, and would lose them
    return plan(seed, seconds, names, wires=WIRES if wires else (), contained=contained)


def _print(plan: "list[Injury]", *, as_json: bool) -> None:
    for injury in plan:
        if as_json:
            emit_line(injury)
        else:
            click.echo(injury.text())
