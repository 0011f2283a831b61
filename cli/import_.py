"""`quire import`: load the history of another system."""

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import Exit, Failure, counted, emit_line, json_option, say, state_dir_option

if TYPE_CHECKING:
    from cli.importing.rejects import RejectFile
    from cli.importing.source import Source


@click.command("import")
@click.argument("file")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["uci"]),
    required=True,
    help="What the file is: uci is the Online Retail data set.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the lines that are left out, and why.",
)
@click.option("--dry-run", is_flag=True, help="Decide everything, write nothing.")
@click.option("--resume", is_flag=True, help="Go on with an import that was interrupted.")
@state_dir_option
@json_option
def import_(
    file: str,
    format_: str,  # noqa: ARG001 there is one so far
    rejects: Path | None,
    dry_run: bool,
    resume: bool,
    state_dir: Path,
    as_json: bool,
) -> None:
    """Load history from FILE (plain or zstd, `-` for stdin): facts with the file's own time.

    Nobody is charged, and nothing is sent. Each line is accepted, mapped to something else, or
    rejected with a reason. What was imported once is not imported again.
    """
    from cli.importing.rejects import RejectFile
    from cli.importing.session import Unfinished
    from cli.importing.source import NotReadable, open_source
    from cli.servers import servers

    dsn = servers(state_dir, writes=True).postgres_dsn
    try:
        source = open_source(file)
        figures = asyncio.run(_run(dsn, source, RejectFile(rejects), dry_run, resume))
    except NotReadable as wrong:
        raise Failure(wrong.code, f"{file}: {wrong}", exit_code=Exit.USAGE) from wrong
    except Unfinished as half:
        raise Failure("import_unfinished", f"{file}: {half}", hint="Go on with --resume.") from half
    if as_json:
        emit_line(figures)
    else:
        if figures["already_imported"]:
            say("this file was imported before; nothing was done")
        click.echo(text_of(figures))


async def _run(
    dsn: str, source: "Source", rejects: "RejectFile", dry_run: bool, resume: bool
) -> dict[str, Any]:
    from cli.importing.session import Session
    from store.connect import connect

    async with await connect(dsn, name="quire-import") as conn:
        session = Session(conn, source, dry_run=dry_run)
        with _bar() as progress:
            totals = await session.run(resume=resume, rejects=rejects, progress=progress)
    return {**totals.figures(), "already_imported": session.already, "dry_run": dry_run}


@contextmanager
def _bar() -> Generator[Callable[[int], None]]:
    """Show how far it is, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("importing"),
        TextColumn("{task.completed:,} lines"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("", total=None)
        yield lambda done: progress.update(task, completed=done)


def text_of(figures: dict[str, Any]) -> str:
    """What was done, for people."""

    def told(**nouns: str) -> str:
        return ", ".join(counted(figures[name], noun) for name, noun in nouns.items())

    sold = told(orders="order", order_lines="line", units="unit")
    taken_back = told(cancel_invoices="cancellation", cancel_lines="line", cancel_units="unit")
    reasons = [
        f"  {count:>9,} {word} ({reason})"
        for word in ("mapped", "rejected")
        for reason, count in figures[word].items()
    ]
    return "\n".join(
        (
            f"{sold}, {figures['gross']:,.2f} GBP",
            f"{taken_back}, {figures['cancel_gross']:,.2f} GBP",
            told(customers="customer", skus="code"),
            f"{told(lines='line')}: {figures['accepted']:,} accepted",
            *reasons,
        )
    )
