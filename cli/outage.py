"""The story of a payment provider that is down for a while, told by facts."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from cli.books import demo_skus
from cli.output import api, counted
from cli.provider_client import entries

LOOK_SECONDS = 0.25
PATIENCE = 60.0
"""How long all may take when the provider is back, beside the back-off's longest pause."""

RECEIVED = 25
RESERVED = "quire.inventory.reserved.v1"

Fact = dict[str, Any]


class Told(msgspec.Struct, frozen=True):
    """What came of it; `timeline` is that of the first order."""

    ok: bool
    orders: int
    confirmed: int
    authorized_once: int
    attempts: int
    waited_seconds: float
    went_on: bool
    order_id: str
    timeline: list[Fact]

    def text(self) -> str:
        """For people: the first order, then the sum of it."""
        begin = _time(self.timeline[0])
        lines = ["", f"The first of them, {self.order_id}, second by second:"]
        lines += [f"  {_time(fact) - begin:6.1f} s  {_sentence(fact)}" for fact in self.timeline]
        lines += [
            "",
            f"{self.confirmed} of {self.orders} orders confirmed after {self.waited_seconds:.1f} s",
            f"{self.attempts} attempts to reach the provider failed meanwhile",
            f"{self.authorized_once} of {self.orders} authorised exactly once, says the provider",
            "goods came in and were reserved meanwhile"
            if self.went_on
            else "NOTHING else went on meanwhile",
            f"all of the first order: quire order show {self.order_id}",
        ]
        return "\n".join(lines)


class Outage:
    """Plays it against the API at `url` and the provider at `provider`."""

    def __init__(self, url: str, provider: str, say: Callable[[str], None]) -> None:
        self._url, self._provider, self._say = url, provider, say

    def play(self, seconds: float, count: int) -> Told:
        with ExitStack() as open:
            shop = open.enter_context(api(self._url))
            provider = open.enter_context(api(self._provider))
            _receive(shop, count)
            script = {"action": "unavailable", "seconds": seconds}
            made = provider.post("/v1/scripts", json=script).json()
            open.callback(provider.delete, f"/v1/scripts/{made['id']}")
            began = monotonic()
            come = f"{counted(count, 'order')} come in"
            self._say(f"the payment provider answers 503 for {seconds:g} s; {come}")
            placed = [self._place(shop) for _ in range(count)]
            went_on = self._goes_on(shop, placed, began + seconds)
            self._follow(shop, placed[0], began + seconds)
            confirmed = self._confirmed(shop, placed, began + 2 * seconds + PATIENCE)
            waited = monotonic() - began
            facts = {each: _timeline(shop, each) for each in placed}
        once = sum(self._times_authorized(each) == 1 for each in placed)
        return Told(
            ok=len(confirmed) == once == count and went_on,
            orders=count,
            confirmed=len(confirmed),
            authorized_once=once,
            attempts=sum(_missed(one) for timeline in facts.values() for one in timeline),
            waited_seconds=round(waited, 1),
            went_on=went_on,
            order_id=placed[0],
            timeline=facts[placed[0]],
        )

    def _place(self, shop: httpx.Client) -> str:
        body = {"lines": [{"sku": demo_skus(1)[0], "quantity": 1}], "payment_method": "tok_approve"}
        headers = {"Idempotency-Key": f"demo-{uuid4()}"}
        return shop.post("/orders", json=body, headers=headers).json()["order_id"]

    def _goes_on(self, shop: httpx.Client, placed: list[str], end: float) -> bool:
        """Goods come in and every order gets its books, while nobody can pay."""
        _receive(shop, RECEIVED)
        self._say(f"{RECEIVED} books come in from a supplier")
        reserved: set[str] = set()
        while monotonic() < end:
            reserved |= {
                each
                for each in placed
                if each not in reserved
                and any(one["type"] == RESERVED for one in _timeline(shop, each))
            }
            if len(reserved) == len(placed):
                self._say(
                    "every order has its books reserved and waits for its payment; the first tries:"
                )
                return True
            sleep(LOOK_SECONDS)
        return False

    def _follow(self, shop: httpx.Client, order_id: str, end: float) -> None:
        """Say each attempt of one order as it is missed."""
        said = 0
        while monotonic() < end:
            missed = [one for one in _timeline(shop, order_id) if _missed(one)]
            for one in missed[said:]:
                self._say(f"  {_sentence(one)}")
            said = len(missed)
            sleep(LOOK_SECONDS)
        self._say("the provider is back: each order is paid at its next attempt, please wait")

    def _confirmed(self, shop: httpx.Client, placed: list[str], end: float) -> set[str]:
        done: set[str] = set()
        while len(done) < len(placed) and monotonic() < end:
            done |= {
                each
                for each in placed
                if each not in done and shop.get(f"/orders/{each}").json()["status"] == "confirmed"
            }
            sleep(LOOK_SECONDS)
        return done

    def _times_authorized(self, order_id: str) -> int:
        return sum(
            one.step == "authorize" and one.outcome == "approved"
            for one in entries(self._provider, order_id)
        )


def _receive(shop: httpx.Client, quantity: int) -> None:
    shop.post(
        f"/stock/{demo_skus(1)[0]}/receipts",
        json={"quantity": quantity},
        headers={"Idempotency-Key": f"demo-{uuid4()}", "Prefer": "wait=10"},
    ).raise_for_status()


def _timeline(shop: httpx.Client, order_id: str) -> list[Fact]:
    facts: list[Fact] = shop.get(f"/orders/{order_id}/timeline").json()["facts"]
    return facts


def _missed(fact: Fact) -> bool:
    return fact["type"] in ("quire.payment.deferred.v1", "quire.payment.outcome_unknown.v1")


def _time(fact: Fact) -> float:
    return datetime.fromisoformat(fact["recorded_at"]).timestamp()


def _sentence(fact: Fact) -> str:
    """`payment: authorized`, with a reason if it has one; of a missed attempt when the next is."""
    _, context, verb, *_ = fact["type"].split(".")
    said = f"{context}: {verb.replace('_', ' ')}"
    data = fact["data"]
    if not _missed(fact):
        return f"{said} ({data['reason'].replace('_', ' ')})" if data.get("reason") else said
    pause = datetime.fromisoformat(data["retry_at"]).timestamp() - _time(fact)
    return f"payment: attempt {data['tries']} failed, the next in {pause:.1f} s"
