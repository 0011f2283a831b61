"""`quire provider`: tell the simulated payment provider how to behave, and read its ledger."""

from pathlib import Path
from typing import Any

import click

from cli.output import (
    Exit,
    Failure,
    Number,
    api,
    counted,
    emit,
    emit_line,
    json_option,
    say,
    state_dir_option,
)

ACTIONS = ("approve", "decline", "3ds", "slow", "unavailable", "timeout")


@click.group()
def provider() -> None:
    """Script the simulated payment provider, and read its ledger."""


@provider.command()
@click.argument("action", type=click.Choice(ACTIONS))
@click.option("--token", default="", help="Only for this card.")
@click.option("--order", "order_id", default="", help="Only for this order.")
@click.option(
    "--step",
    type=click.Choice(["authorize", "capture", "void", "refund", "authentication"]),
    help="Only for this step; authentication is the customer's return from 3-D Secure.",
)
@click.option("--calls", type=click.IntRange(1), help="Only for the next N calls.")
@click.option(
    "--seconds", type=Number(0), default=0.0, help="How slow it answers, or how long it is down."
)
@click.option("--code", default="card_declined", show_default=True, help="Why it is declined.")
@click.option("--retryable", is_flag=True, help="The customer may try again.")
@click.option(
    "--notices", type=click.IntRange(0), default=0, help="Send each webhook so many times."
)
@click.option("--notice-seconds", type=Number(0), default=0.0, help="Send the webhooks so late.")
@click.option("--notice-first", is_flag=True, help="Send the webhook before the answer.")
@state_dir_option
@json_option
def script(state_dir: Path, *, as_json: bool, **wanted: Any) -> None:
    """Do ACTION instead of the usual, from now on; the newest script that fits a call wins.

    `slow` waits, `unavailable` says 503, `timeout` does what it is asked and never answers.
    """
    if wanted["action"] != "decline":
        del wanted["code"]
    body = {name: value for name, value in wanted.items() if value not in (None, "", 0, False)}
    with _provider(state_dir) as client:
        made = client.post("/v1/scripts", json=body).json()
    emit(made, as_json=as_json, text=lambda: _line(made))


@provider.command()
@state_dir_option
@json_option
def scripts(state_dir: Path, *, as_json: bool) -> None:
    """List the scripts that count now, the newest last."""
    with _provider(state_dir) as client:
        found = client.get("/v1/scripts").json()
    for each in found:
        if as_json:
            emit_line(each)
        else:
            click.echo(_line(each))
    if not found:
        say("no scripts: it does as the card's token says")


@provider.command()
@click.argument("script_id", default="")
@state_dir_option
@json_option
def clear(script_id: str, state_dir: Path, *, as_json: bool) -> None:
    """Forget one script, or all of them."""
    with _provider(state_dir) as client:
        told = client.delete(f"/v1/scripts/{script_id}" if script_id else "/v1/scripts").json()
    if script_id and not told["cleared"]:
        raise Failure("no_such_script", f"no script {script_id}", exit_code=Exit.NOT_FOUND)
    emit(told, as_json=as_json, text=lambda: f"{counted(told['cleared'], 'script')} forgotten")


@provider.command()
@click.option("--order", "order_id", default="", help="Only of this order.")
@state_dir_option
@json_option
def ledger(order_id: str, state_dir: Path, *, as_json: bool) -> None:
    """Print its ledger: what it was asked, and what it did."""
    from cli.order_text import money
    from cli.provider_client import entries, required_url

    found = list(entries(required_url(state_dir), order_id))
    for each in found:
        if as_json:
            emit_line(each)
            continue
        what = f"{each.step} {each.subject}".rstrip()
        why = f" ({each.code})" if each.code else ""
        amount = money(each.amount_minor, each.currency)
        click.echo(
            f"{each.at:%H:%M:%S}  {each.order_id}  {what:<12} {amount:>12} {each.outcome}{why}"
        )
    if not found:
        say("nothing stands there")


def _provider(state_dir: Path) -> Any:
    from cli.provider_client import required_url

    return api(required_url(state_dir))


def _line(each: dict[str, Any]) -> str:
    rest = " ".join(f"{k}={v}" for k, v in each.items() if k not in ("id", "action"))
    return f"{each['id']}  {each['action']}  {rest}".rstrip()
