"""`quire parked redrive|edit|discard`: what would happen, then the question, then the wish."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import Exit, Failure, emit, json_option, say, state_dir_option, yes_option
from cli.servers import Servers, servers

if TYPE_CHECKING:
    from api.rehearsal import Preview
    from store.connect import AsyncConnection
    from store.parked import Parked
    from store.parked_choice import Choice

MOST_BY_KEYSTROKE = 100
MOST_AT_ONCE = 10_000


def which(function: Any) -> Any:
    """The messages that are meant: by number, or all that fit."""
    for option in (
        click.argument("numbers", nargs=-1, type=int),
        click.option("--code", "cause", default="", help="Those of one cause, as bad_data."),
        click.option("--key", default="", help="Those of one key."),
        click.option("--topic", default="", help="Those of one topic."),
        click.option("--all", "everything", is_flag=True, help="All that is parked."),
        click.option("--rate", type=click.FloatRange(0, min_open=True), help="At most N a second."),
        click.option("--dry-run", is_flag=True, help="Only say what would be done."),
        yes_option,
        json_option,
        state_dir_option,
    ):
        function = option(function)
    return function


@click.command()
@which
def redrive(**asked: Any) -> None:
    """Let the owner decide messages again: those NUMBERS, a selection, or --all."""
    _move("redrive", "", **asked)


@click.command()
@which
@click.option("--because", required=True, help="Why; kept with the outcome.")
def discard(because: str, **asked: Any) -> None:
    """Give messages up; those behind them go on."""
    if not because.strip():
        raise click.UsageError("--because has to say why")
    _move("discard", because.strip(), **asked)


@click.command()
@click.argument("number", type=int)
@click.option(
    "--file", "source", type=click.Path(allow_dash=True), help="The new payload; - is stdin."
)
@click.option("--because", default="", help="Why; kept with both messages.")
@click.option("--kind", default="", help="What the message is, where that was wrong or missing.")
@json_option
@state_dir_option
def edit(
    number: int, source: str | None, because: str, kind: str, state_dir: Path, *, as_json: bool
) -> None:
    """Put an edited message in the place of message NUMBER, which is kept as discarded.

    Without --file your editor opens it. What cannot be decided is refused, and nothing changes.
    """
    where = servers(state_dir, writes=True)
    row = asyncio.run(_one(where, number))
    data = _read(source) if source else _by_hand(row)
    if data is None:
        raise Failure("nothing_changed", "the message was left as it is")
    new = asyncio.run(_edit(where, row, data, because, kind))
    told = {"id": number, "discarded": str(row.command_id), "edited": new}
    emit(told, as_json=as_json, text=lambda: f"{number} goes on as {new}; its owner decides it now")


def _read(source: str) -> bytes:
    try:
        with click.open_file(source, "rb") as file:
            return file.read()
    except OSError as fault:
        raise Failure("file_not_readable", f"{source}: {fault.strerror}") from fault


def _by_hand(row: "Parked") -> bytes | None:
    import msgspec

    body = row.body or b""
    try:
        text = msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode(errors="replace")
    if not sys.stdin.isatty():
        raise click.UsageError("give the new message with --file, which may be -")
    changed = click.edit(text, extension=".json")
    return None if changed is None else changed.encode()


def _move(
    wish: str,
    because: str,
    *,
    numbers: tuple[int, ...],
    cause: str,
    key: str,
    topic: str,
    everything: bool,
    rate: float | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    state_dir: Path,
) -> None:
    from store.parked_choice import Choice

    if not (numbers or cause or key or topic or everything):
        raise click.UsageError("say which: numbers, --code, --key, --topic or --all")
    where = servers(state_dir, writes=True)
    choice = Choice(numbers, "", topic, key, cause)
    seen, gone = asyncio.run(_look(where, choice))
    for line in gone:
        say(line)
    count = len(seen.trials)
    told = {"wish": wish, "messages": count, **(seen.told() if wish == "redrive" else {})}
    say(_told(wish, seen))
    if dry_run or not count:
        emit({**told, "marked": 0}, as_json=True) if as_json else None
        return
    if not yes:
        _ask(wish, count)
    ids = [trial.row.id for trial in seen.trials]
    marked = asyncio.run(_mark(where, ids, wish, because, rate or 0))
    if as_json:
        emit({**told, "marked": len(marked)}, as_json=True)
    say(f"{len(marked)} marked; their owner does it now. `quire parked list` shows what stays")


def _told(wish: str, seen: "Preview") -> str:
    if wish == "discard":
        behind = f"; {seen.following} that stand behind go on" if seen.following else ""
        return f"will discard {len(seen.trials)}{behind}"
    lines = [f"will send {len(seen.sent)}, {len(seen.failing)} would fail"]
    if waits := len(seen.trials) - len(seen.sent):
        lines[0] += f"; {waits} wait behind another"
    if seen.following:
        lines[0] += f"; {seen.following} that stand behind go on"
    for one in seen.failing[:20]:
        assert one.fails is not None
        lines.append(f"  {one.row.id} would fail: {one.fails[0]}: {one.fails[1][:100]}")
    lines += [
        f"  {one.row.id} would be refused: {one.refused}" for one in seen.trials if one.refused
    ][:20]
    return "\n".join(lines)


def _ask(wish: str, count: int) -> None:
    if count <= MOST_BY_KEYSTROKE:
        click.confirm(f"{wish} {count} message(s)?", abort=True, err=True)
        return
    typed = click.prompt(f"type {count} to {wish} {count} messages", err=True, default="")
    if typed.strip() != str(count):
        raise Failure("not_confirmed", f"{typed!r} is not {count}: nothing was done")


async def _look(where: Servers, choice: "Choice") -> "tuple[Preview, list[str]]":
    """What would happen, and a line for each number that was handled before."""
    from api.rehearsal import preview
    from store.connect import connect
    from store.parked_choice import chosen
    from store.unparking import history

    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        rows = await chosen(conn, choice, limit=MOST_AT_ONCE)
        here = {row.id for row in rows}
        gone: list[str] = []
        for number in sorted(set(choice.ids) - here):
            past = await history(conn, parked_id=number, limit=1)
            if not past:
                raise _not_parked(number)
            [last] = past
            gone.append(
                f"{number} was handled: {last.wish} by {last.wished_by} at"
                f" {last.wished_at:%Y-%m-%d %H:%M:%S}; nothing changes"
            )
        return await preview(conn, rows), gone


async def _one(where: Servers, number: int) -> "Parked":
    from store.connect import connect
    from store.parked import show

    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        row = await show(conn, number)
    if row is None:
        raise _not_parked(number)
    return row


def _not_parked(number: int) -> Failure:
    return Failure("not_parked", f"no message {number} is parked", exit_code=Exit.NOT_FOUND)


async def _mark(where: Servers, ids: list[int], wish: str, because: str, rate: float) -> list[int]:
    from api.moving import move

    async with _connected(where) as (conn, publisher):
        return await move(conn, publisher, ids, wish, by=_who(), because=because, rate=rate)


async def _edit(where: Servers, row: "Parked", data: bytes, because: str, kind: str) -> str:
    from api.moving import NotEditable, edit

    async with _connected(where) as (conn, publisher):
        try:
            new = await edit(conn, publisher, row, data, by=_who(), because=because, kind=kind)
        except NotEditable as why:
            raise Failure(why.code, str(why), hint="Nothing was changed.") from why
    return str(new)


@asynccontextmanager
async def _connected(where: Servers) -> "AsyncGenerator[tuple[AsyncConnection, Any]]":
    from bus.publisher import KafkaPublisher
    from store.connect import connect

    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        publisher = KafkaPublisher(where.kafka)
        await publisher.start()
        try:
            yield conn, publisher
        finally:
            await publisher.stop()


def _who() -> str:
    """Who does it, as the machine knows them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return f"uid {os.getuid()}"
