"""`quire parked redrive|edit|discard`: what would happen, then the question, then the wish."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import (
    Exit,
    Failure,
    Number,
    counted,
    emit,
    json_option,
    say,
    state_dir_option,
    yes_option,
)
from cli.servers import Servers, servers

if TYPE_CHECKING:
    from api.rehearsal import Preview
    from store.connect import AsyncConnection
    from store.parked import Parked
    from store.parked_choice import Choice

MOST_BY_KEYSTROKE = 100
SHOWN = 20


def which(function: Any) -> Any:
    """The messages that are meant: by number, or all that fit."""
    for option in (
        click.argument("numbers", nargs=-1, type=int),
        click.option("--code", "cause", default="", help="Those of one cause, as bad_data."),
        click.option("--key", default="", help="Those of one key."),
        click.option("--topic", default="", help="Those of one topic."),
        click.option("--all", "everything", is_flag=True, help="All that is parked."),
        click.option("--rate", type=Number(0, min_open=True), help="At most so many a second."),
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
    """Have messages decided again: those with these NUMBERS, a selection, or --all.

    Says first what would become of them, and asks. Those behind a message follow it."""
    _move("redrive", "", **asked)


@click.command()
@which
@click.option("--because", required=True, help="Why; kept with the outcome.")
def discard(because: str, **asked: Any) -> None:
    """Give messages up: those with these NUMBERS, a selection, or --all.

    Those behind them go on."""
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
    asked = Choice(numbers, "", topic, key, cause)
    count, choice, gone = asyncio.run(_meant(where, asked))
    for line in gone:
        say(line)
    if not count:
        say("nothing is parked" if everything else "none of these is parked")
        if as_json:
            emit({"wish": wish, "messages": 0, "marked": 0}, as_json=True)
        return
    seen = asyncio.run(_look(where, choice, state_dir)) if wish == "redrive" else None
    told = {"wish": wish, "messages": count, **(seen.told() if seen else {})}
    say(_told(seen) if seen else f"will discard {count}{asyncio.run(_behind(where, choice))}")
    if dry_run:
        emit({**told, "marked": 0}, as_json=True) if as_json else None
        return
    if not yes:
        _ask(wish, count)
    marked = asyncio.run(_mark(where, choice, wish, because, rate or 0))
    if as_json:
        emit({**told, "marked": marked}, as_json=True)
    say(f"{marked} marked; their owner does it now. `quire parked list` shows what stays")


def _told(seen: "Preview") -> str:
    counts = seen.told()
    lines = [f"will send {counts['will_send']}, {seen.failed} would fail"]
    if unknown := counts["cannot_tell"]:
        lines[0] += f", {unknown} cannot be told"
    if seen.waiting:
        lines[0] += f"; {seen.waiting} wait behind another"
    if seen.following:
        lines[0] += f"; {seen.following} that stand behind go on"
    if seen.not_looked_at:
        lines.append(f"  only the first {seen.looked_at} by key were looked at")
    for one in seen.failing[:SHOWN]:
        assert one.fails is not None
        lines.append(f"  {one.row.id} would fail: {one.fails[0]}: {one.fails[1][:100]}")
    if seen.failed > SHOWN:
        lines.append(f"  and {seen.failed - SHOWN} more would fail")
    lines += [f"  {one.row.id} would be refused: {one.refused}" for one in seen.refused[:SHOWN]]
    return "\n".join(lines)


def _ask(wish: str, count: int) -> None:
    if count <= MOST_BY_KEYSTROKE:
        click.confirm(f"{wish} {counted(count, 'message')}?", abort=True, err=True)
        return
    typed = click.prompt(f"type {count} to {wish} {count} messages", err=True, default="")
    if typed.strip() != str(count):
        raise Failure("not_confirmed", f"{typed!r} is not {count}: nothing was done")


async def _meant(where: Servers, choice: "Choice") -> "tuple[int, Choice, list[str]]":
    """How many there are, the choice of no others, and a line for each number handled before."""
    from store.connect import connect
    from store.parked_choice import extent, numbers
    from store.unparking import history

    gone: list[str] = []
    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        count, upto = await extent(conn, choice)
        here = await numbers(conn, choice, limit=len(choice.ids)) if choice.ids else []
        for number in sorted(set(choice.ids) - set(here)):
            past = await history(conn, parked_id=number, limit=1)
            if not past:
                raise _not_parked(number)
            [last] = past
            gone.append(
                f"{number} was handled: {last.wish} by {last.wished_by} at"
                f" {last.wished_at:%Y-%m-%d %H:%M:%S}; nothing changes"
            )
    return count, choice._replace(upto=upto), gone


async def _look(where: Servers, choice: "Choice", state_dir: Path) -> "Preview":
    """What would become of them."""
    from api.letters import Letters
    from api.rehearsal import preview
    from store.connect import connect
    from store.vault import Vault, read_master_key

    key, path = os.environ.get("QUIRE_MASTER_KEY", ""), state_dir / "master.key"
    vault = Vault(read_master_key(path, given=key)) if key or path.is_file() else None
    letters = Letters.of(vault, os.environ.get("QUIRE_REDRIVE_TARGETS", where.intake))
    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        return await preview(conn, choice, letters)


async def _behind(where: Servers, choice: "Choice") -> str:
    from store.connect import connect
    from store.parked_choice import following

    async with await connect(where.postgres_dsn, name="quire-cli") as conn:
        count = await following(conn, choice)
    return f"; {count} that stand behind go on" if count else ""


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


async def _mark(where: Servers, choice: "Choice", wish: str, because: str, rate: float) -> int:
    from api.moving import move

    async with _connected(where) as (conn, publisher):
        moved = await move(conn, publisher, choice, wish, by=_who(), because=because, rate=rate)
    return moved.marked


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
