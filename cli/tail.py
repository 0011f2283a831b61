"""`quire tail`: follow the log, over HTTP."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli.output import api, emit_line, json_option, say, url_option

if TYPE_CHECKING:
    import httpx


@click.command()
@click.option("--order", "order_id", default="", help="Only the facts of this order.")
@click.option("--after", type=click.IntRange(0), help="Begin after this position.")
@click.option("--count", type=click.IntRange(1), help="End after so many facts.")
@url_option
@json_option
def tail(order_id: str, after: int | None, count: int | None, url: str, as_json: bool) -> None:
    """Print facts as they are recorded, until Ctrl-C."""
    asked: dict[str, Any] = {"order": order_id} if order_id else {}
    if after is not None:
        asked["after"] = after
    left = count
    with api(url) as client:
        while left is None or left > 0:
            for fact in _facts(client, asked):
                asked["after"] = fact["position"]
                emit_line(fact) if as_json else click.echo(_text(fact))
                if left is not None:
                    left -= 1
                    if not left:
                        return
            say("the server ended the line; going on")


def _facts(client: "httpx.Client", asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    import httpx

    timeout = httpx.Timeout(10, read=60)  # four heartbeats
    with client.stream("GET", "/live", params=asked, timeout=timeout) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])


def _text(fact: dict[str, Any]) -> str:
    name = fact["type"].removeprefix("quire.").rsplit(".", 1)[0]
    return f"{fact['position']:>8}  {fact['time'][:19]}  {name:<36}  {fact['stream']}"
