"""The lines of a UCI "Online Retail" file, one by one, each readable or refused with a reason."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo

from cli.importing.source import NotReadable

COLUMNS = (
    "src_seq", "invoice_no", "stock_code", "description", "quantity", "invoice_ts", "unit_price",
    "customer_id", "country",
)  # fmt: skip
_LONGEST_LINE = 100_000
_ZONE = ZoneInfo("Europe/London")
_QUANTITY = re.compile(r"-?[0-9]{1,12}")
_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_INVOICE = re.compile(r"[A-Z]?[0-9]{1,18}")
_CUSTOMER = re.compile(r"[0-9A-Za-z_-]{0,40}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_MOST_MINOR = 10**15


class Line(NamedTuple):
    """A line that can be read. `number` counts the file's lines, the header is 1."""

    number: int
    invoice: str
    code: str
    title: str
    quantity: int
    price: int
    at: datetime
    customer: str


class Reject(NamedTuple):
    """A line, or `units` of it, that becomes no fact, and why."""

    number: int
    invoice: str
    code: str
    reason: str
    units: int = 0
    amount_minor: int = 0
    unreadable: bool = False


class _Lines:
    """Text lines for the csv reader, which remembers what was wrong with those of a record."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.number = 0
        self.wrong = ""

    def __iter__(self) -> Iterator[str]:
        while raw := self._file.readline(_LONGEST_LINE + 1):
            self.number += 1
            if len(raw) > _LONGEST_LINE:
                raise NotReadable("line_too_long", "no CSV has lines as long as this", self.number)
            if self.number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                self.wrong = "not_utf8"
                text = raw.decode(errors="replace")
            if "\x00" in text:
                self.wrong = "nul_character"
            yield text


def read(file: IO[bytes]) -> Iterator[Line | Reject]:
    """Every line below the header; raises NotReadable for what is no such file."""
    file.seek(0)
    lines = _Lines(file)
    records = csv.reader(lines, strict=True)
    first = 1
    try:
        header = next(records, list[str]())
        order = _order(header)
        first = lines.number + 1
        for record in records:
            number, first = first, lines.number + 1
            wrong, lines.wrong = lines.wrong, ""
            if wrong or len(record) != len(order):
                yield _refuse(number, record, wrong or "bad_columns")
            else:
                yield _line(number, [record[place] for place in order])
    except csv.Error as fault:
        raise NotReadable("not_csv", f"not CSV: {fault}", first) from fault


def _order(header: list[str]) -> list[int]:
    """Give the place of each of our columns; there may be others only where we expect none."""
    names = [name.strip().lower() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if len(missing) == len(COLUMNS):
        raise NotReadable("not_csv", "this is not the header of a UCI file", 1)
    if missing:
        raise NotReadable("missing_column", f"the column {', '.join(missing)} is missing", 1)
    return [names.index(column) for column in COLUMNS] + [
        place for place, name in enumerate(names) if name not in COLUMNS
    ]


def _line(number: int, fields: list[str]) -> Line | Reject:
    _, invoice, code, title, quantity, at, price, customer = fields[:8]
    invoice, code = invoice.strip().upper(), code.strip().upper()
    time = _time(at)
    pence = _pence(price)
    reason = (
        "bad_invoice" if not _INVOICE.fullmatch(invoice)
        else "bad_code" if not 0 < len(code) <= 40 or not code.isascii()
        else "bad_quantity" if not _QUANTITY.fullmatch(quantity)
        else "bad_time" if time is None
        else pence if isinstance(pence, str)
        else "bad_customer" if not _CUSTOMER.fullmatch(customer)
        else "out_of_range" if abs(int(quantity) * pence) > _MOST_MINOR
        else "zero_quantity" if int(quantity) == 0
        else ""
    )  # fmt: skip
    if reason or time is None or isinstance(pence, str):
        return Reject(number, invoice[:40], code[:40], reason, unreadable=True)
    return Line(number, invoice, code, title.strip(), int(quantity), pence, time, customer)


def _refuse(number: int, record: list[str], reason: str) -> Reject:
    known = [*(field.replace("\x00", "") for field in record[:3]), "", "", ""]
    return Reject(number, known[1][:40], known[2][:40], reason, unreadable=True)


@lru_cache(maxsize=10_000)
def _time(text: str) -> datetime | None:
    """The file's local time; where the clock was put back, the first of the two."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=10_000)
def _pence(text: str) -> int | str:
    """The price in minor units, or why it has none."""
    if not _PRICE.fullmatch(text):
        return "bad_price"
    minor = Decimal(text) * 100
    return int(minor) if minor == int(minor) else "price_not_in_minor_units"
