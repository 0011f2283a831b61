"""What the orders of a load look like: how many lines, which codes, how much of each."""

import csv
import io
import re
from bisect import bisect
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate, cycle, islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import zstandard

SKUS = 4_000
ZIPF = 0.8
HOT = 0.3  # of all orders of `flash` want the one code
MOST_LINES = {"store": 12, "flash": 12, "wholesale": 1_112}

# store: 1.14 lines an order, p99 3, at most 12.
_STORE_LINES = (1,) * 900 + (2,) * 76 + (3,) * 17 + (4, 4, 5, 6, 7, 9, 12)
_STORE_QUANTITIES = (1,) * 85 + (2,) * 10 + (3,) * 5
# wholesale: mean 26.7, median 15, p99 219, at most 1,112: near a log-normal of these.
_WHOLESALE_MEDIAN, _WHOLESALE_SIGMA = 15.0, 1.1
_WHOLESALE_QUANTITIES = (1, 1, 2, 2, 3, 4, 6, 6, 12, 12, 24, 48)
_CODE = re.compile(r"\d{5}[A-Za-z]{0,2}")

Basket = tuple[tuple[str, int], ...]
"""The lines of an order: code and quantity, each code once."""


class UnknownProfile(Exception):
    """There is no such profile, or its file holds no baskets."""


class Wanted(NamedTuple):
    """The baskets of a load; of the code `short` there shall be less than they want."""

    baskets: list[Basket]
    short: str | None = None

    def demand(self) -> dict[str, int]:
        """How much of each code all of them want."""
        wanted: dict[str, int] = {}
        for basket in self.baskets:
            for sku, quantity in basket:
                wanted[sku] = wanted.get(sku, 0) + quantity
        return wanted


SMALL = ("store", "wholesale", "flash")


def require_known(profile: str) -> None:
    """Raises UnknownProfile when there is no such profile, or its file holds no baskets."""
    if profile.startswith("file:"):
        _from_file(Path(profile.removeprefix("file:")), 1)
    elif profile not in SMALL:
        raise UnknownProfile(f"no profile {profile!r}: store, wholesale, flash or file:PATH")


def wanted(profile: str, count: int, run: str) -> Wanted:
    """So many baskets; the same for the same run. Raises UnknownProfile."""
    random = Random(run)
    codes = _Codes(random)
    if profile == "store":
        return Wanted([_small(random, codes) for _ in range(count)])
    if profile == "wholesale":
        return Wanted([_large(random, codes) for _ in range(count)])
    if profile == "flash":
        hot = f"bench-flash-{run}"
        one: Basket = ((hot, 1),)
        picks = (random.random() < HOT for _ in range(count))
        return Wanted([one if pick else _small(random, codes) for pick in picks], hot)
    if profile.startswith("file:"):
        return Wanted(_from_file(Path(profile.removeprefix("file:")), count))
    raise UnknownProfile(f"no profile {profile!r}: store, wholesale, flash or file:PATH")


def price_minor(sku: str) -> int:
    """The price of a code: always the same, and of no meaning."""
    return 299 + sum(map(ord, sku)) * 37 % 3_000


class _Codes:
    """Draws codes by Zipf's law."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._steps = list(accumulate((rank + 1) ** -ZIPF for rank in range(SKUS)))

    def draw(self) -> str:
        return f"bench-{bisect(self._steps, self._random.random() * self._steps[-1]):04d}"

    def several(self, count: int) -> list[str]:
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn[self.draw()] = None
        return list(drawn)


def _small(random: Random, codes: _Codes) -> Basket:
    skus = codes.several(random.choice(_STORE_LINES))
    return tuple((sku, random.choice(_STORE_QUANTITIES)) for sku in skus)


def _large(random: Random, codes: _Codes) -> Basket:
    lines = round(_WHOLESALE_MEDIAN * random.lognormvariate(0, _WHOLESALE_SIGMA))
    skus = codes.several(max(1, min(lines, MOST_LINES["wholesale"])))
    return tuple((sku, random.choice(_WHOLESALE_QUANTITIES)) for sku in skus)


def _from_file(path: Path, count: int) -> list[Basket]:
    """The sales of a UCI file, from its beginning and as often over again as it takes."""
    try:
        baskets = list(_sales(path))
    except (OSError, KeyError, zstandard.ZstdError) as fault:
        raise UnknownProfile(f"{path}: {fault}") from fault
    if not baskets:
        raise UnknownProfile(f"{path} holds no sales")
    return list(islice(cycle(baskets), count))


def _sales(path: Path) -> Iterator[Basket]:
    invoices: dict[str, dict[str, int]] = {}
    for row in _rows(path):
        code, quantity = row["stock_code"].upper(), row["quantity"]
        sold = quantity.isdigit() and int(quantity) > 0 and Decimal(row["unit_price"]) > 0
        if sold and _CODE.fullmatch(code) and not row["invoice_no"].startswith("C"):
            basket = invoices.setdefault(row["invoice_no"], {})
            basket[code] = basket.get(code, 0) + int(quantity)
    for basket in invoices.values():
        yield tuple(basket.items())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open("rb") as packed:
        unpack = zstandard.ZstdDecompressor().stream_reader
        plain = unpack(packed) if path.suffix == ".zst" else packed
        with io.TextIOWrapper(plain, "utf-8", newline="") as text:
            yield from csv.DictReader(text)
