"""`quire bench`: a load of live orders on the stack, and what it did to it."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from cli.output import (
    Exit,
    Failure,
    Number,
    differs,
    emit,
    json_option,
    port_base_option,
    say,
    state_dir_option,
)

if TYPE_CHECKING:
    from bench.plan import Entry, Until

LONGEST = 86_400
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|)")


class Duration(click.ParamType):
    """`60s`, `2m`, or seconds alone."""

    name = "duration"

    def __init__(self, least: float = 0) -> None:
        self._least = least

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no duration; write 60s or 2m", param, ctx)
        seconds = float(found[1]) * _SECONDS[found[2]]
        if not self._least <= seconds <= LONGEST:
            self.fail(f"{value!r} has to be from {self._least:g}s to 24h", param, ctx)
        return seconds


@click.command()
@click.option(
    "--profile", default="store", show_default=True, help="store, wholesale, flash or file:PATH."
)
@click.option(
    "--rate",
    type=Number(min=0.1),
    default=200,
    show_default=True,
    help="Orders a second.",
)
@click.option(
    "--for",
    "seconds",
    type=Duration(least=1),
    default=10.0,
    show_default="10s",
    help="How long it is measured, as 60s or 2m.",
)
@click.option("--bursts", is_flag=True, help="Three times the rate for 10 s of each minute.")
@click.option(
    "--entry",
    type=click.Choice(["kafka", "http"]),
    default="kafka",
    show_default=True,
    help="Where the orders enter: straight into the topic, or by the API.",
)
@click.option(
    "--until",
    type=click.Choice(["confirmed", "delivered"]),
    default="confirmed",
    show_default=True,
    help="When an order counts as done.",
)
@click.option(
    "--warm-up", type=Duration(), default=5.0, show_default="5s", help="The same load, not counted."
)
@click.option(
    "--drain",
    type=Duration(),
    default=60.0,
    show_default="60s",
    help="How long to wait for the last orders; what is not done then counts as lost.",
)
@click.option(
    "--compose", metavar="PROJECT", help="Load the containers of this compose project instead."
)
@state_dir_option
@port_base_option
@json_option
def bench(
    profile: str,
    rate: float,
    seconds: float,
    entry: "Entry",
    until: "Until",
    warm_up: float,
    drain: float,
    compose: str | None,
    state_dir: Path,
    port_base: int,
    *,
    bursts: bool,
    as_json: bool,
) -> None:
    """Put a load of live orders on the stack and measure it.

    Orders come at random moments at the given rate, whether or not those before are done. If no
    stack runs on the state directory, one is started for the measurement alone. Exit code 1 when
    anything was lost, done twice or oversold.
    """
    from bench import load, report
    from bench.plan import Plan
    from bench.profiles import UnknownProfile, require_known
    from bench.target import containers, settings_for, stack
    from stack.errors import StackFault

    try:
        require_known(profile)
        if compose:
            meant = containers(compose, say)
        else:
            meant = stack(state_dir, port_base, settings_for(entry, until), say)
        with meant as target:
            plan = Plan(
                uuid4().hex[:8], profile, rate, seconds, bursts, entry, target.kafka, target.url
            )
            measured = asyncio.run(load.warmed(target, plan, until, warm_up, drain, say))
    except UnknownProfile as unknown:
        raise click.BadParameter(str(unknown), param_hint="--profile") from unknown
    except StackFault as fault:
        code = Exit.NOT_REACHABLE if fault.code == "no_engine" else Exit.REFUSED
        raise Failure(fault.code, fault.message, hint=fault.hint, exit_code=code) from fault
    emit(measured, as_json=as_json, text=lambda: report.text(measured))
    if not measured.sound:
        differs()
