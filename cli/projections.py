"""`quire projections`: the views, their rebuild, and their comparison with the log."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.output import (
    Exit,
    Failure,
    differs,
    emit,
    emit_line,
    json_option,
    say,
    state_dir_option,
)
from cli.servers import servers

T = TypeVar("T")
NAMES = ("orders", "revenue", "stock")
SHOWN_DIFFERENCES = 10


@click.group()
def projections() -> None:
    """The views: list, rebuild, compare with the log."""


@projections.command("list")
@state_dir_option
@json_option
def list_(state_dir: Path, as_json: bool) -> None:
    """List the views and how far they are."""

    async def ask(conn: Any) -> list[dict[str, object]]:
        from store import log
        from store.views import progress
        from store.views.every import VIEWS

        head = await log.head(conn)
        found: list[dict[str, object]] = []
        for name, view in VIEWS.items():
            reached = await progress.reached(conn, view.name)
            found.append(
                {
                    "name": name,
                    "table": view.table,
                    "position": reached,
                    "behind": max(0, head - reached),
                }
            )
        return found

    found = _with(servers(state_dir).postgres_dsn, ask)
    if as_json:
        for each in found:
            emit_line(each)
        return
    from cli.tables import table

    table(tuple(found[0]), [tuple(each.values()) for each in found])


@projections.command()
@click.argument("name", type=click.Choice(NAMES))
@state_dir_option
@json_option
def rebuild(name: str, state_dir: Path, as_json: bool) -> None:
    """Fold a view again from the whole log, while the old one serves."""

    async def work(conn: Any) -> dict[str, object]:
        from time import perf_counter

        from store.views.every import VIEWS
        from store.views.shadow import rebuild as build

        began = perf_counter()
        rebuilt = await build(conn, VIEWS[name])
        return {
            "name": name,
            **rebuilt._asdict(),
            "seconds": round(perf_counter() - began, 3),
        }

    done = _with(servers(state_dir, writes=True).postgres_owner_dsn, work)
    emit(
        done,
        as_json=as_json,
        text=lambda: (
            f"{name}: {done['rows']} rows from {done['events']} facts in {done['seconds']} s"
        ),
    )


@projections.command()
@state_dir_option
@json_option
def compare(state_dir: Path, as_json: bool) -> None:
    """Fold the log again and hold every row of every view against it.

    Exit code 1 on a difference."""

    async def work(conn: Any) -> tuple[dict[str, Any], list[dict[str, object]]]:
        from store.views.compare import Difference
        from store.views.compare import compare as hold

        first: list[dict[str, Any]] = []
        count = 0

        def found(difference: Difference) -> None:
            nonlocal count
            count += 1
            if len(first) < SHOWN_DIFFERENCES:
                first.append(difference._asdict())

        compared = await hold(conn, found)
        return {**compared._asdict(), "differences": count}, first

    told, first = _with(servers(state_dir).postgres_dsn, work)
    for difference in first if not as_json else ():
        say(f"{difference['view']} {difference['key']}")
        say(f"  shows {difference['shown']}")
        say(f"  log   {difference['folded']}")
    rows = ", ".join(f"{count} {name}" for name, count in told["rows"].items())
    emit(
        {**told, "first": first},
        as_json=as_json,
        text=lambda: (
            f"{told['differences']} differences up to position {told['position']} in {rows}"
        ),
    )
    if told["differences"]:
        differs()


def _with(dsn: str, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do the work on a connection of its own."""
    if not dsn:
        raise Failure(
            "dsn_missing",
            "a rebuild makes tables, so it needs the role that owns them",
            hint="Set QUIRE_POSTGRES_OWNER_DSN.",
            exit_code=Exit.USAGE,
        )

    async def connected() -> T:
        from store.connect import connect
        from store.errors import translated

        with translated():
            async with await connect(dsn, name="quire projections") as conn:
                return await work(conn)

    return asyncio.run(connected())
