"""`quire parked`: messages set aside, and what becomes of them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import Exit, Failure, counted, emit, emit_line, json_option, say, state_dir_option
from cli.parked_moves import discard, edit, redrive
from cli.servers import servers

if TYPE_CHECKING:
    from store.parked import Parked
    from store.parked_choice import Group


limit_option = click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="So many at most.",
)


@click.group()
def parked() -> None:
    """Messages that could not be decided and need a person: list, show, redrive, edit, discard."""


parked.add_command(redrive)
parked.add_command(edit)
parked.add_command(discard)


@parked.command(name="list")
@click.option("--processor", default="", help="Only those of one processor, as quire-order.")
@click.option("--code", "cause", default="", help="Only those of one cause, as bad_data.")
@click.option("--key", default="", help="Only those of one key.")
@click.option("--topic", default="", help="Only those of one topic.")
@click.option("--summary", is_flag=True, help="Only the causes, with how many there are of each.")
@limit_option
@state_dir_option
@json_option
def list_(
    processor: str,
    cause: str,
    key: str,
    topic: str,
    limit: int,
    state_dir: Path,
    *,
    summary: bool,
    as_json: bool,
) -> None:
    """List what is parked by its cause; with --json one message a line, oldest first."""
    from store.parked_choice import Choice

    choice = Choice((), processor, topic, key, cause)
    groups, rows = asyncio.run(_list(servers(state_dir).postgres_dsn, choice, limit))
    if as_json:
        told = [each._asdict() for each in groups] if summary else [_plain(row) for row in rows]
        for each in told:
            emit_line(each)
        if not summary:
            _say_more(groups, len(rows))
        return
    for group in groups:
        click.echo(_group_line(group))
        click.echo(f"    {_short(group.error)}")
        if not summary:
            for row in rows:
                if (row.cause, row.processor, row.kind) == group[:3]:
                    click.echo(_row_line(row))
    if not groups:
        say("nothing is parked")
    elif not summary:
        _say_more(groups, len(rows))


def _say_more(groups: "list[Group]", shown: int) -> None:
    there = sum(group.messages for group in groups)
    if there > shown:
        say(f"only the oldest {shown} of {there} are shown; --limit shows more")


@parked.command()
@click.argument("number", type=int)
@state_dir_option
@json_option
def show(number: int, state_dir: Path, *, as_json: bool) -> None:
    """Show a parked message with its headers and payload, and what was done about it before."""
    row, past = asyncio.run(_show(servers(state_dir).postgres_dsn, number))
    if row is None and not past:
        raise Failure("not_parked", f"no message {number} is parked", exit_code=Exit.NOT_FOUND)
    told = {**(row or {"id": number, "parked": False}), "history": past}
    emit(told, as_json=as_json, text=lambda: _text(told))


@parked.command()
@limit_option
@state_dir_option
@json_option
def history(limit: int, state_dir: Path, *, as_json: bool) -> None:
    """List what people redrove, edited and discarded, newest first: who, when and why.

    What failed again stands here too, with its error."""
    found = asyncio.run(_history(servers(state_dir).postgres_dsn, limit + 1))
    for each in found[:limit]:
        if as_json:
            emit_line(each)
        else:
            click.echo(_past_line(each))
    if not found:
        say("nobody moved a message yet")
    elif len(found) > limit:
        say(f"only the newest {limit} are shown; --limit shows more")


def _group_line(group: "Group") -> str:
    wished = f", {group.wished} on their way" if group.wished else ""
    return (
        f"{group.cause}: {group.messages} of {group.processor},"
        f" {group.kind or 'not a message'}, {counted(group.keys, 'key')},"
        f" since {group.oldest:%Y-%m-%d %H:%M:%S}{wished}"
    )


def _row_line(row: "Parked") -> str:
    wish = f"  [{row.wish} by {row.wished_by}]" if row.wish else ""
    return (
        f"{row.id:>8}  {row.parked_at:%Y-%m-%d %H:%M:%S}  {row.key}"
        f"  attempt {row.attempts}  {_short(row.error)}{wish}"
    )


def _short(error: str) -> str:
    return error if len(error) <= 100 else f"{error[:99]}…"


def _past_line(past: dict[str, Any]) -> str:
    result = past["edit_result"] if past["wish"] == "edit" else past["result"]
    because = f", because: {past['wished_because']}" if past["wished_because"] else ""
    as_what = f" as {past['edit_id']}" if past["edit_id"] else ""
    again = f", failed again: {past['failed_error']}" if past["failed_cause"] else ""
    cause = past["failed_cause"] or past["cause"]
    return (
        f"{past['parked_id']:>8}  {past['wished_at']:%Y-%m-%d %H:%M:%S}  {past['wish']} by"
        f" {past['wished_by']}{as_what}: {result or 'unknown'}  {past['kind']} of {past['key']}"
        f" ({cause}){because}{again}"
    )


def _text(told: dict[str, Any]) -> str:
    import msgspec

    lines: list[str] = []
    for name, value in told.items():
        if name == "history":
            lines += [f"{'before':<15} {_past_line(past)}" for past in value]
        elif isinstance(value, dict):
            pretty = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
            lines.append(f"{name:<15} {pretty}")
        elif value is not None:
            lines.append(f"{name:<15} {value}")
    return "\n".join(lines)


async def _list(dsn: str, choice: Any, limit: int) -> "tuple[list[Group], list[Parked]]":
    from store.connect import connect
    from store.parked_choice import chosen, groups

    async with await connect(dsn, name="quire-cli") as conn:
        return await groups(conn, choice), await chosen(conn, choice, limit=limit)


async def _show(dsn: str, number: int) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    from api.parked_view import past, shown
    from store import parked as store
    from store.connect import connect
    from store.unparking import history

    async with await connect(dsn, name="quire-cli") as conn:
        row = await store.show(conn, number)
        before = await history(conn, parked_id=number)
    return None if row is None else shown(row), [past(each) for each in before]


async def _history(dsn: str, limit: int) -> list[dict[str, Any]]:
    from api.parked_view import past
    from store.connect import connect
    from store.unparking import history

    async with await connect(dsn, name="quire-cli") as conn:
        return [past(each) for each in await history(conn, limit=limit)]


def _plain(row: "Parked") -> dict[str, Any]:
    from api.parked_view import shown

    return shown(row, payload=False)
