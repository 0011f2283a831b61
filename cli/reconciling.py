"""Holds what our log says was moved against what the provider says, movement by movement."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from gateways.ledger import CONFIRM, Entry
from store.money import Moved

Pair = tuple[str, str]
"""An order and a step."""


class Difference(NamedTuple):
    """What only one side knows, or what both know otherwise; amounts in minor units."""

    code: Literal["only_in_log", "only_at_provider", "amounts_differ"]
    order_id: str
    step: str
    subject: str
    log: int | None
    provider: int | None
    currency: str
    position: int = 0
    key: str = ""

    def text(self) -> str:
        what = f"{self.order_id}: {self.step} {self.subject}".rstrip()
        told = f"log {_shown(self.log)}, provider {_shown(self.provider)} {self.currency}"
        place = f" (position {self.position})" if self.position else f" (key {self.key})"
        return f"{self.code}: {what}: {told}{place}"


class Compared(NamedTuple):
    """How many orders were looked at, how many were too fresh to be, and what differs."""

    orders: int
    left_out: int
    differences: list[Difference]


def compare(log: Iterable[Moved], ledger: Iterable[Entry], before: datetime) -> Compared:
    """Orders that either side touched since `before` may be under way, and are left out."""
    ours: dict[Pair, list[Moved]] = defaultdict(list)
    theirs: dict[Pair, list[Entry]] = defaultdict(list)
    fresh: set[str] = set()
    for one in log:
        ours[one.order_id, one.step].append(one)
        if one.at >= before:
            fresh.add(one.order_id)
    for entry in ledger:
        if entry.at >= before:
            fresh.add(entry.order_id)
        if entry.outcome == "approved" and entry.step != CONFIRM and entry.amount_minor:
            theirs[entry.order_id, entry.step].append(entry)
    pairs = [pair for pair in sorted({*ours, *theirs}) if pair[0] not in fresh]
    found = [each for pair in pairs for each in _differences(ours[pair], theirs[pair])]
    return Compared(len({order_id for order_id, _ in pairs}), len(fresh), found)


def _differences(ours: list[Moved], theirs: list[Entry]) -> Iterator[Difference]:
    """By their names first; what has none on either side by amount."""
    rest: list[Moved] = []
    for one in ours:
        entry = next((each for each in theirs if one.subject and each.subject == one.subject), None)
        if entry is None:
            rest.append(one)
            continue
        theirs.remove(entry)
        if (one.amount_minor, one.currency) != (entry.amount_minor, entry.currency):
            yield _difference("amounts_differ", one, entry)
    for one in rest:
        entry = next((each for each in theirs if _alike(one, each)), None)
        if entry is None:
            yield _difference("only_in_log", one, None)
        else:
            theirs.remove(entry)
    for entry in theirs:
        yield _difference("only_at_provider", None, entry)


def _alike(one: Moved, entry: Entry) -> bool:
    """Attempts and voids have no name that both sides keep, nor had older ledgers any."""
    named = one.subject and entry.subject
    return not named and (one.amount_minor, one.currency) == (entry.amount_minor, entry.currency)


def _difference(
    code: Literal["only_in_log", "only_at_provider", "amounts_differ"],
    one: Moved | None,
    entry: Entry | None,
) -> Difference:
    either = one or entry
    assert either is not None
    return Difference(
        code,
        either.order_id,
        either.step,
        either.subject,
        one.amount_minor if one else None,
        entry.amount_minor if entry else None,
        either.currency,
        one.position if one else 0,
        entry.key if entry else "",
    )


def _shown(amount_minor: int | None) -> str:
    return "nothing" if amount_minor is None else f"{amount_minor / 100:.2f}"
