"""`quire mail`: what the local mail sink took in."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import Exit, Failure, emit, emit_line, json_option, state_dir_option

if TYPE_CHECKING:
    from gateways.mailbox import Mailbox


@click.group()
def mail() -> None:
    """Read what the local mail sink took in. It holds personal data."""


@mail.command("list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many at most."
)
@state_dir_option
@json_option
def list_(limit: int, state_dir: Path, *, as_json: bool) -> None:
    """List messages, newest first: one for each Message-ID, with how often it came."""
    for each in _mailbox(state_dir).mails()[:limit]:
        if as_json:
            emit_line(each)
            continue
        again = f"  ({each.times} times)" if each.times > 1 else ""
        click.echo(f"{each.id}  {_local(each.received_at)}  {each.to}  {each.subject}{again}")


@mail.command()
@click.argument("id")
@click.option("--html", is_flag=True, help="Print the HTML instead of the text.")
@state_dir_option
@json_option
def show(id: str, state_dir: Path, *, html: bool, as_json: bool) -> None:
    """Print one message. ID is the beginning of an id of the list, or a Message-ID."""
    from gateways.mailbox import text_of

    found = _mailbox(state_dir).find(id)
    if found is None:
        raise Failure(
            "mail_not_found",
            f"there is no mail {id}",
            hint="`quire mail list` shows what there is.",
            exit_code=Exit.NOT_FOUND,
        )
    one, message = found
    text = text_of(message, "html" if html else "plain")
    shown = {
        "id": one.id,
        "message_id": one.message_id,
        "to": one.to,
        "subject": one.subject,
        "received_at": one.received_at,
        "times": one.times,
        "html" if html else "text": text,
    }
    head = f"To: {one.to}\nSubject: {one.subject}\nReceived: {_local(one.received_at)}\n"
    head += f"Message-ID: {one.message_id}\n"
    emit(shown, as_json=as_json, text=lambda: f"{head}\n{text}")


def _mailbox(state_dir: Path) -> "Mailbox":
    from gateways.mailbox import Mailbox

    return Mailbox(state_dir / "mail")


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
