"""`quire stock`: show, receive and adjust stock, over HTTP."""

from typing import Any
from urllib.parse import quote

import click

from cli.output import api, emit, emit_line, json_option, url_option
from cli.wishing import Sending, wish_options


@click.group()
def stock() -> None:
    """Receive, adjust and show stock."""


@stock.command()
@click.argument("sku", required=False)
@url_option
@json_option
def show(sku: str | None, url: str, as_json: bool) -> None:
    """Show the stock of SKU, or of all."""
    with api(url) as client:
        if sku:
            found = [client.get(f"/stock/{quote(sku, safe='')}").json()]
        else:
            found = list(_pages(client))
    if as_json:
        for each in found:
            emit_line(each)
        return
    from cli.tables import table

    names = ("sku", "title", "warehouse", "on_hand", "reserved", "available")
    table(names, [[each[name] for name in names] for each in found])


@stock.command()
@click.argument("sku")
@click.argument("quantity", type=click.IntRange(1))
@click.option("--reference", default="", help="A delivery note's number, for instance.")
@click.option("--uncatalogued", is_flag=True, help="The catalogue comes later.")
@wish_options
def receive(
    sku: str,
    quantity: int,
    reference: str,
    uncatalogued: bool,
    sending: Sending,
) -> None:
    """Take in QUANTITY units of SKU, which the catalogue has to know."""
    body: dict[str, object] = {"quantity": quantity, "reference": reference}
    if uncatalogued:
        body["uncatalogued"] = True
    _wish(sku, "receipts", body, sending)


@stock.command(context_settings={"ignore_unknown_options": True})
@click.argument("sku")
@click.argument("delta", type=int)
@click.option("--reason", required=True, help="Why: a count, water damage, ...")
@wish_options
def adjust(sku: str, delta: int, reason: str, sending: Sending) -> None:
    """Change what is on hand of SKU by DELTA, which may be negative."""
    _wish(sku, "adjustments", {"delta": delta, "reason": reason}, sending)


def _pages(client: Any) -> Any:
    asked: dict[str, object] = {"limit": 1000}
    while True:
        page = client.get("/stock", params=asked).json()
        yield from page["stock"]
        if page["next"] is None:
            return
        asked["cursor"] = page["next"]


def _wish(sku: str, what: str, body: dict[str, object], sending: Sending) -> None:
    path = f"/stock/{quote(sku, safe='')}"

    def changed(answer: Any) -> str | None:
        return path if answer.status_code == 200 else None

    told = sending.send(f"{path}/{what}", body, changed)
    emit(told, as_json=sending.as_json, text=lambda: _text(told))


def _text(told: dict[str, Any]) -> str:
    if "on_hand" not in told:
        return f"{told['sku']}: accepted"
    return f"{told['sku']}: {told['on_hand']} on hand, {told['available']} available"
