"""`quire demo`: stories played on the running stack."""

from pathlib import Path

import click

from cli.output import Number, differs, emit, json_option, say, state_dir_option, url_option


@click.group()
def demo() -> None:
    """Play a story on the running stack and show what it did."""


@demo.command("provider-down")
@click.option(
    "--seconds", type=Number(5, 600), default=20.0, show_default=True, help="How long it is down."
)
@click.option(
    "--orders",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="How many are placed meanwhile.",
)
@url_option
@state_dir_option
@json_option
def provider_down(seconds: float, orders: int, url: str, state_dir: Path, *, as_json: bool) -> None:
    """Let the payment provider say 503 for a while: orders wait, and finish by themselves.

    Exit code 1 when an order was not confirmed, or was authorised more than once.
    """
    from cli.outage import Outage
    from cli.provider_client import required_url

    told = Outage(url, required_url(state_dir), say).play(seconds, orders)
    emit(told, as_json=as_json, text=told.text)
    if not told.ok:
        differs()
