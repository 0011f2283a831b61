"""The page on which a customer confirms a payment, or refuses it."""

from html import escape

from gateways.ledger import Entry

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Confirm your payment</title>
<style>body{{font:1.1rem/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem}}form{{display:inline}}</style>
<h1>Confirm your payment</h1>
<p>{amount} for order {order}.</p>
{rest}
</html>
"""
_BUTTONS = """<form method="post" action="{url}/confirm"><button>Confirm</button></form>
<form method="post" action="{url}/refuse"><button>Refuse</button></form>
"""
_TOLD = {
    "approved": "<p>Thank you: the payment is confirmed. You can close this page.</p>",
    "declined": "<p>The payment was not made. You can close this page.</p>",
}


def page(entry: Entry) -> str:
    """As the authorisation is by now: with buttons while it waits."""
    amount = f"{entry.amount_minor / 100:.2f} {entry.currency}"
    buttons = _BUTTONS.format(url=escape(f"/3ds/{entry.reference}"))
    return _PAGE.format(
        amount=escape(amount),
        order=escape(entry.order_id),
        rest=_TOLD.get(entry.outcome, buttons),
    )
