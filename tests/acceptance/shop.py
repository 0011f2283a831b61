"""A customer and a clerk of a running Quire, over HTTP alone."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from tests.acceptance.wait import until

Json = dict[str, Any]
PRICE = 700
CURRENCY = "EUR"


class Shop:
    """Everything it sells it has made up itself, so that other orders do not disturb."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60)

    def book(self, units: int = 0, *, price: int = PRICE, warehouse: str = "main") -> str:
        """A new sku with so many units on the shelf."""
        sku = f"acc-{uuid4().hex[:12]}"
        item = {
            "sku": sku,
            "title": f"Book {sku}",
            "price": {"amount_minor": price, "currency": CURRENCY},
            "warehouse": warehouse,
        }
        assert self.http.put("/catalogue", json={"items": [item]}).status_code == 200
        if units:
            self.receive(sku, units)
        return sku

    def receive(self, sku: str, units: int) -> None:
        answer = self.http.post(
            f"/stock/{sku}/receipts", json={"quantity": units}, headers=waiting(20)
        )
        assert answer.status_code == 200, answer.text

    def post(
        self, path: str, body: Json | None = None, *, key: str | None = None, wait: int = 20
    ) -> httpx.Response:
        """Ask for something; by default wait until the order is at rest."""
        headers = waiting(wait) | ({"Idempotency-Key": key} if key else {})
        return self.http.post(path, json=body, headers=headers)

    def place(self, *lines: tuple[str, int], card: str = "tok_approve", **more: Any) -> Json:
        """Place an order and give it as it is at rest."""
        answer = self.post("/orders", order_of(*lines, card=card, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, path: str, **params: Any) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, order_id: str) -> Json:
        return self.get(f"/orders/{order_id}")

    def becomes(self, order_id: str, holds: Callable[[Json], bool], seconds: float = 45) -> Json:
        """Follow the order until this holds of it."""
        until(lambda: holds(self.order(order_id)), seconds, lambda: self.order(order_id))
        return self.order(order_id)

    def delivered(self, order_id: str) -> Json:
        return self.becomes(
            order_id,
            lambda order: (order["fulfilment"], order["payment"]) == ("delivered", "captured"),
        )

    def level(self, sku: str) -> tuple[int, int]:
        """On hand and reserved."""
        found = self.get(f"/stock/{sku}")
        assert found["available"] == found["on_hand"] - found["reserved"]
        return found["on_hand"], found["reserved"]

    def has_level(self, sku: str, on_hand: int, reserved: int) -> None:
        until(lambda: self.level(sku) == (on_hand, reserved), 20, lambda: self.level(sku))


def order_of(*lines: tuple[str, int], card: str = "tok_approve", **more: Any) -> Json:
    wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
    return {"lines": wanted, "payment_method": card, **more}


def waiting(seconds: int) -> dict[str, str]:
    return {"Prefer": f"wait={seconds}"} if seconds else {}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a problem document, once it is seen to be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= told.keys()
    assert told["status"] == answer.status_code
    assert told["type"] == f"urn:quire:problem:{told['code']}"
    return answer.status_code, told["code"]
