"""`quire audit reconcile`: our log's money against the provider's ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import counted, differs, emit, json_option, say, settle_option, state_dir_option

if TYPE_CHECKING:
    from cli.reconciling import Compared
    from gateways.ledger import Entry


@click.command()
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A file of the provider's entries, instead of asking it.",
)
@click.option("--provider", default="", help="Address of the provider; else that of the stack.")
@settle_option
@state_dir_option
@json_option
def reconcile(
    ledger: Path | None, provider: str, settle_seconds: float, state_dir: Path, *, as_json: bool
) -> None:
    """Compare each movement of money; exit 1 when one side knows what the other does not."""
    from cli.reconciling import compare
    from cli.servers import servers
    from store.money import moved

    before = datetime.now(UTC) - timedelta(seconds=settle_seconds)
    # The log last: what the provider did meanwhile is fresh, and so left out.
    theirs = list(_entries(ledger, provider, state_dir))
    compared = compare(moved(servers(state_dir).postgres_dsn), theirs, before)
    answer = {
        "ok": not compared.differences,
        "orders": compared.orders,
        "left_out": compared.left_out,
        "differences": [one._asdict() for one in compared.differences],
    }
    emit(answer, as_json=as_json, text=lambda: _text(compared))
    if compared.differences:
        differs()


def _entries(ledger: Path | None, provider: str, state_dir: Path) -> "Iterator[Entry]":
    """From the file that was named, else from the provider, else from its file beside the stack."""
    from cli.provider_client import entries, provider_url
    from gateways.ledger import read_ledger

    url = provider or provider_url(state_dir)
    if ledger is not None:
        return read_ledger(ledger)
    if url:
        return entries(url)
    say("no provider runs; its ledger is read from the state directory")
    return read_ledger(state_dir / "provider" / "ledger.jsonl")


def _text(compared: "Compared") -> str:
    lines = [one.text() for one in compared.differences]
    word = "DIFFERENT" if lines else "equal"
    fresh = f"; {compared.left_out:,} too fresh to say" if compared.left_out else ""
    return "\n".join([*lines, f"{word}: {counted(compared.orders, 'order')} compared{fresh}"])
