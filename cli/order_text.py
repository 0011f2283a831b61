"""An order as a person reads it in a terminal."""

from typing import Any

Orders = dict[str, Any]


def money(amount_minor: int, currency: str) -> str:
    """For people; every currency here has two decimals."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02} {currency}"


def text_of(document: Orders) -> str:
    """An order in a few lines."""
    axes = f"{document['status']}, payment {document['payment']}"
    lines = [f"{document['order_id']}  {axes}, fulfilment {document['fulfilment']}"]
    if reason := document.get("reason"):
        lines.append(f"  why: {_why(reason['code'])}")
        lines += [
            f"  short of {each['sku']}: wanted {each['wanted']}, there were {each['available']}"
            for each in reason.get("shortages", [])
        ]
        if url := reason.get("url"):
            lines.append(f"  the customer confirms the payment at {url}")
    for each in document.get("lines", []):
        price = each["unit_price"]
        gone = "".join(
            f", {each[what]} {what}" for what in ("cancelled", "returned") if each.get(what)
        )
        cost = money(price["amount_minor"], price["currency"])
        lines.append(
            f"  {each['line']}. {each['quantity']} x {each.get('title') or each['sku']}"
            f" at {cost}{gone}"
        )
    if totals := document.get("totals"):
        amounts = ", ".join(
            f"{name} {money(totals[name], totals['currency'])}"
            for name in ("ordered", "cancelled", "captured", "refunded", "written_off")
            if totals.get(name)
        )
        lines.append(f"  {amounts}".replace("_", " "))
        lines += [
            f"  owed {money(each['amount'], totals['currency'])}: {each['step']} of"
            f" {each['subject']} failed, {each['code']}"
            for each in document.get("owed", [])
        ]
    if deadline := document.get("next_deadline"):
        lines.append(f"  next: {_time(deadline['at'])}, {deadline['effect']}")
    for each in document.get("returns", []):
        lines.append(f"  return {each['return_no']}: {each['status']}, {_holds(each)}")
    lines += [
        f"  {each['channel']} {each['template']} {each['status']}: {each['code']}{_again(each)}"
        for each in document.get("notifications", [])
        if each["status"] != "sent"
    ]
    for parcel in document.get("parcels", []):
        lines += _parcel_text(parcel, document["order_id"])
    return "\n".join(lines)


def _again(note: Orders) -> str:
    return f", trying again at {_time(note['retry_at'])}" if "retry_at" in note else ""


def _time(text: str) -> str:
    return f"{text[:19].replace('T', ' ')} UTC"


def _parcel_text(parcel: Orders, order_id: str) -> list[str]:
    """What is in it, where it comes from, where it was seen; what to do when nobody takes it."""
    warehouse = parcel.get("warehouse", "main")
    tracking = f", tracking {parcel['tracking']}" if parcel["tracking"] else ""
    scans = [
        f"    {scan['time'][:16]}  {scan['status']}  {scan['place']}".rstrip()
        for scan in parcel["scans"]
    ]
    return [
        f"  parcel {parcel['parcel_id']} from {warehouse}: {parcel['status']}{tracking}",
        f"    {_holds(parcel)}",
        *scans,
        *_refused_text(parcel, order_id),
    ]


def _refused_text(parcel: Orders, order_id: str) -> list[str]:
    if parcel["status"] != "refused":
        return []
    number = parcel["parcel_id"].rpartition(".")[2]
    lines = "".join(f" --line {each['line']}:{each['quantity']}" for each in parcel["lines"])
    return [
        f"    the carrier refuses it: {parcel.get('code') or 'it does not say why'}",
        f"    to ask again: quire order relabel {order_id} {number}",
        f"    to give stock and money back: quire order cancel {order_id}{lines}",
    ]


def _holds(parcel: Orders) -> str:
    holds = ", ".join(f"{each['quantity']} of line {each['line']}" for each in parcel["lines"])
    return holds or "nothing is left in it"


WHY = {
    "cancel": "somebody asked for it",
    "out_of_stock": "there is not enough in stock",
    "backorder": "it waits for goods",
    "authentication_required": "the customer has to confirm the payment (3-D Secure)",
    "payment": "the payment was declined for good",
    "expiry": "it was not paid in time",
}
"""What the words for machines mean; others are readable as they are."""


def _why(code: str) -> str:
    return WHY.get(code) or (code.replace("_", " ") if code.islower() else code)
