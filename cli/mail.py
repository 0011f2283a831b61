"""`quire mail`: what the local mail sink took in."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import Exit, Failure, Hints, api, emit, emit_line, json_option, state_dir_option

if TYPE_CHECKING:
    from gateways.mailbox import Mailbox
    from gateways.mailpit import Mailpit

Function = Callable[..., Any]

OF_A_PAGE = Hints(
    "Start the Mailpit, or name another address with --page; without one our own sink is read.",
    "Write the address of its page as http://127.0.0.1:8025: --page or QUIRE_MAIL_PAGE.",
)


def _page_option(function: Function) -> Function:
    return click.option(
        "--page",
        envvar="QUIRE_MAIL_PAGE",
        default="",
        help="Address of a Mailpit that takes the mail in place of our own sink.",
    )(function)


@click.group()
def mail() -> None:
    """Read what the local mail sink took in. It holds personal data."""


@mail.command("list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many at most."
)
@_page_option
@state_dir_option
@json_option
def list_(limit: int, page: str, state_dir: Path, *, as_json: bool) -> None:
    """List messages, newest first: one for each Message-ID, with how often it came."""
    with _box(page, state_dir) as box:
        mails = box.mails()[:limit]
    for each in mails:
        if as_json:
            emit_line(each)
            continue
        again = f"  ({each.times} times)" if each.times > 1 else ""
        click.echo(f"{each.id}  {_local(each.received_at)}  {each.to}  {each.subject}{again}")


@mail.command()
@click.argument("id")
@click.option("--html", is_flag=True, help="Print the HTML instead of the text.")
@_page_option
@state_dir_option
@json_option
def show(id: str, page: str, state_dir: Path, *, html: bool, as_json: bool) -> None:
    """Print one message. ID is the beginning of an id of the list, or a Message-ID."""
    from gateways.mailbox import text_of

    with _box(page, state_dir) as box:
        found = box.find(id)
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


@contextmanager
def _box(page: str, state_dir: Path) -> Generator["Mailbox | Mailpit"]:
    if page:
        from gateways.mailpit import Mailpit, NoMailpit

        with api(page, hints=OF_A_PAGE) as http:
            try:
                yield Mailpit(http)
            except NoMailpit as fault:
                raise Failure(
                    "not_a_mailpit",
                    f"what answers at {page} is no Mailpit: {fault}",
                    hint=OF_A_PAGE.write,
                ) from fault
    else:
        from gateways.mailbox import Mailbox

        yield Mailbox(state_dir / "mail")


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
