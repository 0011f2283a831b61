"""Comparing two ways of doing a thing: in turns, within one run, by the medians."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
import msgspec

RESULTS = Path(__file__).parent / "results"

Work = Callable[[], Awaitable[object]]


class Compared(msgspec.Struct, frozen=True):
    """`ratio` is how fast ours is, the other being 1. Seconds are of each round, in turns."""

    name: str
    ratio: float
    target: float
    events: int
    ours_per_s: float
    other_per_s: float
    ours_seconds: list[float]
    other_seconds: list[float]
    what: str

    @property
    def met(self) -> bool:
        return self.ratio >= self.target


async def compare(
    name: str, what: str, target: float, events: int, rounds: int, ours: Work, other: Work
) -> Compared:
    """Do the two in turns, the other first, then ours first, and so on."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for is_ours in (True, False) if number % 2 else (False, True):
            began = perf_counter()
            await (ours if is_ours else other)()
            taken[is_ours].append(round(perf_counter() - began, 4))
    mine, theirs = median(taken[True]), median(taken[False])
    return Compared(
        name=name,
        ratio=round(theirs / mine, 3),
        target=target,
        events=events,
        ours_per_s=round(events / mine),
        other_per_s=round(events / theirs),
        ours_seconds=taken[True],
        other_seconds=taken[False],
        what=what,
    )


def command(run: Callable[[int, int], Awaitable[Any]], *, events: int, rounds: int) -> None:
    """The command line that every small benchmark has."""

    @click.command()
    @click.option("--events", default=events, show_default=True, help="How many facts.")
    @click.option("--rounds", default=rounds, show_default=True, help="How many turns of each.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--save", is_flag=True, help="Write it to bench/results as well.")
    def main(events: int, rounds: int, *, as_json: bool, save: bool) -> None:
        async def go() -> Any:
            return await run(events, rounds)

        result = asyncio.run(go())
        text = msgspec.json.encode(result)
        if save:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{result.name}.json").write_bytes(msgspec.json.format(text) + b"\n")
        if as_json:
            sys.stdout.write(text.decode() + "\n")
        else:
            click.echo(msgspec.json.format(text).decode())

    main()
