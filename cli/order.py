"""`quire order`: place, show, list, cancel, pay, settle, relabel and return orders, over HTTP."""

from typing import Any

import click

from cli.order_text import Orders, money, text_of
from cli.output import Exit, Failure, api, emit, emit_line, json_option, say, url_option
from cli.wishing import Sending, lines_option, wish_options

UNDECIDED = "asked for, and not decided yet (--wait 5 waits for that); the order as it stands:"


@click.group()
def order() -> None:
    """Place, show, list, cancel, pay, settle, relabel and return orders."""


@order.command()
@click.option("--demo", is_flag=True, help="Order two books of the demo catalogue.")
@click.option("--sku", "skus", multiple=True, help="What to order; may be given several times.")
@click.option(
    "--qty",
    "quantities",
    multiple=True,
    type=click.IntRange(1),
    help="How many; once for each --sku, in their order, else 1.",
)
@click.option(
    "--customer", default="", help="The customer's id; without one it is a guest's order."
)
@click.option("--card", default="tok_approve", show_default=True, help="The card's token.")
@click.option("--name", default="", help="Who it is for; sealed before it is stored.")
@click.option("--email", default="", help="Where mail goes; sealed before it is stored.")
@click.option("--address", default="", help="Where the parcel goes; sealed before it is stored.")
@click.option("--language", default="en", show_default=True, help="Of the mail: en or zh.")
@click.option(
    "--backorder", is_flag=True, help="Wait for goods when stock is short, instead of a rejection."
)
@wish_options
def place(
    demo: bool,
    skus: tuple[str, ...],
    quantities: tuple[int, ...],
    customer: str,
    card: str,
    name: str,
    email: str,
    address: str,
    language: str,
    backorder: bool,
    sending: Sending,
) -> None:
    """Place an order. With --wait the exit code is 5 when it is rejected, cancelled or expired."""
    if demo and not skus:
        from cli.books import demo_skus

        skus, quantities = demo_skus(2), (1, 1)
    if not skus or len(quantities) not in {0, len(skus)}:
        raise click.UsageError("give --sku X, and --qty N once for each of them or not at all")
    wanted = zip(skus, quantities or (1,) * len(skus), strict=True)
    contact = {"name": name, "email": email, "address": address}
    body = {
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in wanted],
        "payment_method": card,
        "customer_id": customer,
        "language": language,
        "shortage": "backorder" if backorder else "reject",
        **({"contact": contact} if any(contact.values()) else {}),
    }
    placed = wish("/orders", body, sending, undecided="")
    if sending.wait and placed.get("status") in {"rejected", "cancelled", "expired"}:
        raise SystemExit(Exit.REFUSED)


@order.command()
@click.argument("order_id")
@url_option
@json_option
def show(order_id: str, url: str, as_json: bool) -> None:
    """Show an order: where it stands, what comes next, its parcels and returns."""
    with api(url) as client:
        document = client.get(f"/orders/{quoted(order_id)}").json()
    emit(document, as_json=as_json, text=lambda: text_of(document))


@order.command("list")
@click.option("--status", default="", help="Only of this status, as confirmed.")
@click.option(
    "--needs",
    default="",
    metavar="WHAT",
    help="Only what needs somebody: attention (whatever for), label, message, money or return.",
)
@click.option("--customer", default="", help="Only of this customer's id.")
@click.option(
    "--from", "since", default="", metavar="TIME", help="Placed at or after, as 2026-11-21T10:00Z."
)
@click.option(
    "--to", "until", default="", metavar="TIME", help="Placed before, as 2026-11-22T00:00Z."
)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="So many at most."
)
@url_option
@json_option
def list_(
    status: str,
    needs: str,
    customer: str,
    since: str,
    until: str,
    limit: int,
    url: str,
    as_json: bool,
) -> None:
    """List orders, newest first."""
    filters = {
        "status": status, "needs": needs, "customer": customer, "from": since, "to": until,
    }  # fmt: skip
    asked = {name: value for name, value in filters.items() if value}
    found: list[Orders] = []
    with api(url) as client:
        while len(found) < limit:
            page = client.get(
                "/orders", params={**asked, "limit": min(100, limit - len(found))}
            ).json()
            found += page["orders"]
            if page["next"] is None:
                break
            asked["cursor"] = page["next"]
    if as_json:
        for each in found:
            emit_line(each)
        return
    from cli.tables import table

    rows = [
        (
            each["order_id"],
            each["status"],
            each["payment"],
            each["fulfilment"],
            each["placed_at"][:16],
            money(each["totals"]["ordered"], each["totals"]["currency"]),
        )
        for each in found
    ]
    table(("order", "status", "payment", "fulfilment", "placed", "total"), rows)


@order.command()
@click.argument("order_id")
@lines_option
@click.option("--reason", default="", help="Why.")
@wish_options
def cancel(
    order_id: str,
    lines: tuple[str, ...],
    reason: str,
    sending: Sending,
) -> None:
    """Cancel an order, or lines of it, before it is handed to the carrier."""
    body = {"lines": lines_of(lines), "reason": reason}
    wish(f"/orders/{quoted(order_id)}/cancel", body, sending)


@order.command()
@click.argument("order_id")
@click.option("--card", default="tok_approve", show_default=True, help="The card's token.")
@wish_options
def pay(order_id: str, card: str, sending: Sending) -> None:
    """Pay again after a decline that was not final."""
    path = f"/orders/{quoted(order_id)}/pay"
    wish(path, {"payment_method": card}, sending)


@order.command()
@click.argument("order_id")
@click.option("--card", default="", help="Take it of this card instead.")
@click.option("--write-off", is_flag=True, help="Give the money up; needs --reason.")
@click.option("--reason", default="", help="Why.")
@wish_options
def settle(
    order_id: str,
    card: str,
    write_off: bool,
    reason: str,
    sending: Sending,
) -> None:
    """Try failed captures and refunds again, or write them off."""
    if write_off and (card or not reason):
        raise click.UsageError("give --write-off with --reason and without --card")
    body = {"payment_method": card, "write_off": write_off, "reason": reason}
    wish(f"/orders/{quoted(order_id)}/settle", body, sending)


@order.command()
@click.argument("order_id")
@click.argument("number", type=click.IntRange(1), metavar="N")
@wish_options
def relabel(order_id: str, number: int, sending: Sending) -> None:
    """Ask again for the label of parcel N, which the carrier refused."""
    wish(f"/orders/{quoted(order_id)}/parcels/{number}/label", None, sending)


@order.command("return")
@click.argument("order_id")
@lines_option
@click.option("--reason", default="", help="Why.")
@wish_options
def return_(
    order_id: str,
    lines: tuple[str, ...],
    reason: str,
    sending: Sending,
) -> None:
    """Ask to send a delivered order back, or lines of it; see `quire return`."""
    body = {"lines": lines_of(lines), "reason": reason}
    wish(f"/orders/{quoted(order_id)}/return", body, sending)


def wish(path: str, body: Orders | None, sending: Sending, *, undecided: str = UNDECIDED) -> Orders:
    """Send it; without an outcome in time `undecided` is said, and what is known is shown."""
    pending = False

    def place(answer: Any) -> str | None:
        nonlocal pending
        pending = answer.status_code == 202
        return answer.headers["location"] if pending else None

    document = sending.send(path, body, place)
    if pending and undecided:
        say(undecided)
    emit(document, as_json=sending.as_json, text=lambda: text_of(document))
    return document


def lines_of(texts: tuple[str, ...], option: str = "--line") -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    for text in texts:
        number, _, quantity = text.partition(":")
        if not (number.isdigit() and (quantity or "1").isdigit()):
            raise click.BadParameter(f"{text}: write N:QTY, as in 1:2", param_hint=option)
        found.append({"line": int(number), "quantity": int(quantity or 1)})
    return found


def quoted(order_id: str) -> str:
    from urllib.parse import quote

    if not order_id:
        raise Failure("order_not_found", "an order has an id", exit_code=Exit.NOT_FOUND)
    return quote(order_id, safe="")
