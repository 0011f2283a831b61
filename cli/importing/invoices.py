"""Lines gathered into invoices, each line with the part that it plays."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cli.importing.reader import Line, Reject

Role = Literal["sale", "charge", "free", "write_off", "cancel"]
Month = tuple[int, int]

_GOODS = re.compile(r"[0-9]{5}[A-Z]{0,2}")


@dataclass
class Survey:
    """What one pass over the file tells: where each invoice ends, and what each month takes."""

    lines: int = 0
    last: int = 0
    ends: dict[str, int] = field(default_factory=dict[str, int])
    needs: Counter[tuple[Month, str]] = field(default_factory=Counter[tuple[Month, str]])


@dataclass
class Invoice:
    """An invoice with its lines by role. Of two times the first counts."""

    number: str
    at: datetime
    customer: str
    end: int
    sales: list[Line] = field(default_factory=list[Line])
    charges: list[Line] = field(default_factory=list[Line])
    gifts: list[Line] = field(default_factory=list[Line])
    receipts: list[Line] = field(default_factory=list[Line])
    write_offs: list[Line] = field(default_factory=list[Line])
    cancels: list[Line] = field(default_factory=list[Line])
    rejects: list[Reject] = field(default_factory=list[Reject])

    @property
    def lines(self) -> list[Line]:
        """Every line that is not rejected yet."""
        goods = [*self.sales, *self.gifts, *self.receipts, *self.write_offs]
        return [*goods, *self.charges, *self.cancels]


def survey(lines: Iterable[Line | Reject]) -> Survey:
    """Read all lines once."""
    found = Survey()
    for line in lines:
        found.lines += 1
        found.last = line.number
        if isinstance(line, Reject):
            continue
        found.ends[line.invoice] = line.number
        if role(line) in ("sale", "write_off"):
            found.needs[month(line.at), line.code] += abs(line.quantity)
    return found


def invoices(lines: Iterable[Line | Reject], ends: dict[str, int]) -> Iterator[Invoice | Reject]:
    """Each invoice when its last line has come, each unreadable line where it stands."""
    open_ones: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if isinstance(line, Reject):
            yield line
            continue
        open_ones[line.invoice].append(line)
        if line.number == ends[line.invoice]:
            yield gather(open_ones.pop(line.invoice))


def gather(lines: list[Line]) -> Invoice:
    """Sort the lines of one invoice by what they mean."""
    first = lines[0]
    invoice = Invoice(first.invoice, first.at, first.customer, lines[-1].number)
    free: list[Line] = []
    places: dict[Role, list[Line]] = {
        "sale": invoice.sales,
        "charge": invoice.charges,
        "free": free,
        "write_off": invoice.write_offs,
        "cancel": invoice.cancels,
    }
    for line in lines:
        part = role(line) if line.customer == first.customer else "customer_differs"
        if part in places:
            places[part].append(line)
        else:
            invoice.rejects.append(refuse(line, part))
    # Without a price and a buyer, goods came in; with one of them, they were given away.
    (invoice.gifts if invoice.sales or invoice.customer else invoice.receipts).extend(free)
    if invoice.charges and not invoice.sales:
        invoice.rejects += [refuse(line, "charge_without_goods") for line in invoice.charges]
        invoice.charges.clear()
    return invoice


def role(line: Line) -> str:
    """Say what a line is, by itself; what is no Role is the reason to reject it."""
    goods = _GOODS.fullmatch(line.code) is not None
    kind = line.invoice[0]
    if line.price < 0:
        return "negative_price"
    if kind == "C":
        if not goods:
            return "charge_of_cancellation"
        return "cancel" if line.quantity < 0 else "positive_cancellation"
    if kind.isalpha():
        return "not_an_order"
    if not goods:
        return "charge" if line.price else "not_stock"
    if line.quantity > 0:
        return "sale" if line.price else "free"
    return "negative_sale" if line.price else "write_off"


def refuse(line: Line, reason: str) -> Reject:
    """Reject the whole line."""
    units = abs(line.quantity)
    return Reject(line.number, line.invoice, line.code, reason, units, units * line.price)


def month(at: datetime) -> Month:
    """The month that goods receipts are planned for."""
    return at.year, at.month
