"""People who change their minds: what becomes of an order is a function of the seed and its number.

They speak to the API alone and ask again, under the same key, for as long as nobody answers.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Literal

import httpx

LOOK_SECONDS = 0.5
FOLLOW_SECONDS = 1.5
AGAIN_SECONDS = 0.5
PAGE = 100
CLOSED = {"completed", "cancelled", "rejected", "expired"}
LATE_SECONDS = 2.5  # about when the carrier takes the parcel

Fate = Literal["cancel", "cancel_part", "cancel_late", "return", "keep"]
_FATES: tuple[tuple[float, Fate], ...] = (
    (0.07, "cancel"),
    (0.12, "cancel_part"),
    (0.18, "cancel_late"),
    (0.28, "return"),
)

Document = dict[str, Any]


def fate_of(seed: int, number: str) -> Fate:
    """What the customer of this number does with an order."""
    drawn = Random(f"{seed}/{number}").random()
    for share, fate in _FATES:
        if drawn < share:
            return fate
    return "keep"


class Customers:
    """Everybody who placed an order. `answers` counts what the API said: (wish, status)."""

    def __init__(self, url: str, seed: int, run: str) -> None:
        self._url = url
        self._seed = seed
        self._run = run
        self._seen: set[str] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.problems: Counter[str] = Counter()

    @property
    def busy(self) -> int:
        """How many have not done what they had in mind."""
        return len(self._busy)

    async def live(self) -> None:
        """Until cancelled: look for new orders, and for those that wait to be paid."""
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=self._url, timeout=10, limits=limits) as http:
            try:
                while True:
                    for order in await self._page(http, limit=PAGE):
                        self._meets(http, order)
                    for order in await self._page(http, limit=PAGE, status="awaiting_payment"):
                        self._owes(http, order)
                    await asyncio.sleep(LOOK_SECONDS)
            finally:
                for task in self._busy:
                    task.cancel()
                await asyncio.gather(*self._busy, return_exceptions=True)

    async def _page(self, http: httpx.AsyncClient, **asked: str | int) -> list[Document]:
        try:
            answer = await http.get("/orders", params=asked)
        except httpx.HTTPError:
            return []
        orders: list[Document] = answer.json()["orders"] if answer.is_success else []
        return orders

    def _meets(self, http: httpx.AsyncClient, order: Document) -> None:
        order_id: str = order["order_id"]
        if order_id in self._seen:
            return
        self._seen.add(order_id)
        match fate_of(self._seed, order.get("customer_id", "")):
            case "cancel":
                self._begin(self._wish(http, order_id, "cancel"))
            case "cancel_part":
                line = {"line": 1, "quantity": 1}
                self._begin(self._wish(http, order_id, "cancel", {"lines": [line]}))
            case "cancel_late":
                self._begin(self._wish(http, order_id, "cancel", after=LATE_SECONDS))
            case "return":
                self._begin(self._return(http, order_id))
            case "keep":
                pass

    def _owes(self, http: httpx.AsyncClient, order: Document) -> None:
        """Half of them pay again, or come back from their bank; the rest let the time run out."""
        reason: Document = order.get("reason") or {}
        attempt = f"{order['order_id']}/{order['position']}"
        if attempt in self._seen or Random(f"{self._seed}/{attempt}").random() < 0.5:
            return
        if order["payment"] == "requires_action" and reason.get("url"):
            self._seen.add(attempt)
            self._begin(self._confirms(http, reason["url"]))
        elif order["payment"] == "failed":
            self._seen.add(attempt)
            body = {"payment_method": "tok_approve"}
            self._begin(self._wish(http, order["order_id"], "pay", body, part=attempt))

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _confirms(self, http: httpx.AsyncClient, url: str) -> None:
        try:
            answer = await http.post(f"{url}/confirm")
        except httpx.HTTPError:
            return  # and never tries again
        self.answers["confirm", answer.status_code] += 1

    async def _return(self, http: httpx.AsyncClient, order_id: str) -> None:
        order = await self._until(http, order_id, _delivered)
        if order is None:
            return
        await self._wish(http, order_id, "return")
        for step, status in (("approve", "requested"), ("receive", "approved")):
            order = await self._until(http, order_id, partial(_returns, status))
            if order is None:
                return
            await self._wish(http, order_id, f"returns/1/{step}")

    async def _until(
        self, http: httpx.AsyncClient, order_id: str, holds: Callable[[Document], bool]
    ) -> Document | None:
        """The order once this holds of it; None when it is closed before."""
        while True:
            try:
                answer = await http.get(f"/orders/{order_id}")
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                order: Document = answer.json()
                if order["status"] != "accepted" and holds(order):
                    return order
                if order["status"] in CLOSED:
                    return None
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _wish(
        self,
        http: httpx.AsyncClient,
        order_id: str,
        wish: str,
        body: Document | None = None,
        *,
        after: float = 0,
        part: str = "",
    ) -> None:
        await asyncio.sleep(after)
        headers = {"Idempotency-Key": f"{self._run}/{wish}/{part or order_id}"}
        while True:
            try:
                answer = await http.post(f"/orders/{order_id}/{wish}", json=body, headers=headers)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code != 503:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        self.answers[wish, answer.status_code] += 1
        if answer.status_code >= 500 or answer.status_code == 422:
            self.problems[f"{wish}: {answer.status_code} {answer.text[:200]}"] += 1


def _delivered(order: Document) -> bool:
    return order["fulfilment"] == "delivered"


def _returns(status: str, order: Document) -> bool:
    return any(one["status"] == status for one in order.get("returns", ()))
