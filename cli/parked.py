"""`quire parked`: messages set aside, and what becomes of them."""

import asyncio
import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from cli.output import (
    Exit,
    Failure,
    emit,
    emit_line,
    json_option,
    say,
    state_dir_option,
    yes_option,
)
from cli.servers import Servers, servers


@click.group()
def parked() -> None:
    """Messages set aside: list, show, redrive, discard."""


@parked.command(name="list")
@click.option("--processor", help="Only those of one processor, quire-order for instance.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@state_dir_option
@json_option
def list_(processor: str | None, limit: int, state_dir: Path, *, as_json: bool) -> None:
    """List what is parked, oldest first."""
    rows = asyncio.run(_list(servers(state_dir).postgres_dsn, processor, limit))
    for row in rows:
        if as_json:
            emit_line(row)
        else:
            wish = f"  [{row['wish']}]" if row["wish"] else ""
            click.echo(
                f"{row['id']:>6}  {row['parked_at']:%Y-%m-%d %H:%M:%S}  {row['processor']:<18}"
                f" {row['key']}  {row['kind']}  {row['cause']}: {row['error'][:80]}{wish}"
            )
    if not rows and not as_json:
        say("nothing is parked")


@parked.command()
@click.argument("number", type=int)
@state_dir_option
@json_option
def show(number: int, state_dir: Path, *, as_json: bool) -> None:
    """Show one parked message with its headers and payload."""
    row = asyncio.run(_show(servers(state_dir).postgres_dsn, number))
    if row is None:
        raise Failure("not_parked", f"no message {number} is parked", exit_code=Exit.NOT_FOUND)
    emit(row, as_json=as_json, text=lambda: "\n".join(f"{k:<15} {v}" for k, v in row.items()))


@parked.command()
@click.argument("numbers", nargs=-1, type=int, required=True)
@state_dir_option
@yes_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def redrive(numbers: tuple[int, ...], state_dir: Path, *, yes: bool, dry_run: bool) -> None:
    """Let the owner decide the messages NUMBERS again."""
    _wish("redrive", numbers, "", state_dir, yes=yes, dry_run=dry_run)


@parked.command()
@click.argument("numbers", nargs=-1, type=int, required=True)
@click.option("--because", required=True, help="Why; kept with the outcome.")
@state_dir_option
@yes_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def discard(
    numbers: tuple[int, ...], because: str, state_dir: Path, *, yes: bool, dry_run: bool
) -> None:
    """Give the messages NUMBERS up; those behind them go on."""
    _wish("discard", numbers, because, state_dir, yes=yes, dry_run=dry_run)


def _wish(
    wish: str, numbers: Sequence[int], because: str, state_dir: Path, *, yes: bool, dry_run: bool
) -> None:
    where = servers(state_dir)
    found = {
        row["id"]: row
        for number in numbers
        if (row := asyncio.run(_show(where.postgres_dsn, number)))
    }
    for number in numbers:
        if number not in found:
            raise Failure("not_parked", f"no message {number} is parked", exit_code=Exit.NOT_FOUND)
        row = found[number]
        say(f"{wish} {number}: {row['kind'] or 'not a message'} of {row['key']} ({row['cause']})")
    if dry_run:
        return
    if not yes:
        click.confirm(f"{wish} {len(numbers)} message(s)?", abort=True, err=True)
    marked = asyncio.run(_mark(where, numbers, wish, because))
    say(f"{marked} marked; their owner does it now. `quire parked list` shows what stays")


async def _list(dsn: str, processor: str | None, limit: int) -> list[dict[str, Any]]:
    from store import parked as store
    from store.connect import connect

    async with await connect(dsn, name="quire-cli") as conn:
        rows = await store.listing(conn, processor=processor, limit=limit)
    return [_plain(row._asdict(), payload=False) for row in rows]


async def _show(dsn: str, number: int) -> dict[str, Any] | None:
    from store import parked as store
    from store.connect import connect

    async with await connect(dsn, name="quire-cli") as conn:
        row = await store.show(conn, number)
    return None if row is None else _plain(row._asdict(), payload=True)


def _plain(row: dict[str, Any], *, payload: bool) -> dict[str, Any]:
    """A row as a person reads it: bytes as text."""
    from store.parked import load_headers

    body = row.pop("body")
    headers = load_headers(row.pop("headers"))
    if payload:
        row["headers"] = {name: value.decode(errors="replace") for name, value in headers}
        row["body"] = None if body is None else body.decode(errors="replace")
    return row


async def _mark(where: Servers, numbers: Sequence[int], wish: str, because: str) -> int:
    """Sets the wish, then nudges each owner through the partition that it reads."""
    from bus.message import Message
    from bus.publisher import KafkaPublisher
    from store import parked as store
    from store import timers
    from store.connect import connect

    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        now = await timers.now(conn)
        rows = await store.wish(conn, numbers, wish, by=getpass.getuser(), because=because, at=now)
    publisher = KafkaPublisher(where.kafka)
    await publisher.start()
    try:
        for topic, key in {(row.topic, row.key) for row in rows}:
            nudge = Message(
                id=uuid4(), type=store.NUDGE, source="quire/cli", time=now, key=key,
                subject=key, correlation=key, causation=None, data=b"{}",
            )  # fmt: skip
            await publisher.publish(topic, nudge)
    finally:
        await publisher.stop()
    return len(rows)
