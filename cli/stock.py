"""`quire stock`: show, receive and adjust stock, over HTTP."""

from typing import Any
from urllib.parse import quote

import click

from cli.order import wish_options
from cli.output import api, emit, emit_line, json_option, url_option


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
@wish_options
def receive(
    sku: str,
    quantity: int,
    reference: str,
    wait: int,
    key: str | None,
    url: str,
    as_json: bool,
) -> None:
    """Take in QUANTITY units of SKU."""
    _wish(sku, "receipts", {"quantity": quantity, "reference": reference}, wait, key, url, as_json)


@stock.command(context_settings={"ignore_unknown_options": True})
@click.argument("sku")
@click.argument("delta", type=int)
@click.option("--reason", required=True, help="Why: a count, water damage, ...")
@wish_options
def adjust(
    sku: str, delta: int, reason: str, wait: int, key: str | None, url: str, as_json: bool
) -> None:
    """Change what is on hand of SKU by DELTA, which may be negative."""
    _wish(sku, "adjustments", {"delta": delta, "reason": reason}, wait, key, url, as_json)


def _pages(client: Any) -> Any:
    asked: dict[str, object] = {"limit": 1000}
    while True:
        page = client.get("/stock", params=asked).json()
        yield from page["stock"]
        if page["next"] is None:
            return
        asked["cursor"] = page["next"]


def _wish(
    sku: str,
    what: str,
    body: dict[str, object],
    wait: int,
    key: str | None,
    url: str,
    as_json: bool,
) -> None:
    from uuid import uuid4

    headers = {"Idempotency-Key": key or f"cli-{uuid4()}"}
    if wait:
        headers["Prefer"] = f"wait={wait}"
    path = f"/stock/{quote(sku, safe='')}"
    with api(url, timeout=wait + 30.0) as client:
        answer = client.post(f"{path}/{what}", json=body, headers=headers)
        told = answer.json()
        if answer.status_code == 200:
            told = client.get(path).json()
    emit(told, as_json=as_json, text=lambda: _text(told))


def _text(told: dict[str, Any]) -> str:
    if "on_hand" not in told:
        return f"{told['sku']}: accepted"
    return f"{told['sku']}: {told['on_hand']} on hand, {told['available']} available"
