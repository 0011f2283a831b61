"""`quire return`: approve, refuse and receive what customers send back, over HTTP."""

import click

from cli.order import lines_of, quoted, wish
from cli.wishing import Sending, lines_option, wish_options


@click.group("return")
def return_() -> None:
    """Approve, refuse and receive returns."""


_order = click.argument("order_id")
_number = click.argument("number", type=click.IntRange(1), metavar="N")


@return_.command()
@_order
@_number
@wish_options
def approve(order_id: str, number: int, sending: Sending) -> None:
    """Approve return number N of an order: its goods may come."""
    wish(_path(order_id, number, "approve"), None, sending)


@return_.command()
@_order
@_number
@click.option("--reason", default="", help="Why.")
@wish_options
def refuse(order_id: str, number: int, reason: str, sending: Sending) -> None:
    """Refuse return number N of an order."""
    wish(_path(order_id, number, "refuse"), {"reason": reason}, sending)


@return_.command()
@_order
@_number
@lines_option
@click.option(
    "--unsellable",
    multiple=True,
    metavar="N:QTY",
    help="So many of line N stay off the shelf; they are paid back too.",
)
@click.option("--condition", default="", help="What the inspection found.")
@wish_options
def receive(
    order_id: str,
    number: int,
    lines: tuple[str, ...],
    unsellable: tuple[str, ...],
    condition: str,
    sending: Sending,
) -> None:
    """The goods of return number N came in and were inspected: pay back, put on the shelf."""
    body = {
        "lines": lines_of(lines),
        "unsellable": lines_of(unsellable, "--unsellable"),
        "condition": condition,
    }
    wish(_path(order_id, number, "receive"), body, sending)


def _path(order_id: str, number: int, what: str) -> str:
    return f"/orders/{quoted(order_id)}/returns/{number}/{what}"
