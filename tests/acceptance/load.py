"""A small load of orders from one stubborn customer, who repeats each wish until it is accepted."""

from threading import Event, Thread
from uuid import uuid4

import httpx

from tests.acceptance.shop import Shop, order_of
from tests.acceptance.wait import until

PAUSE_SECONDS = 0.1
AGAIN_SECONDS = 0.3


class Load:
    """Orders on a thread of their own; `accepted` are those that got a 202."""

    def __init__(self, shop: Shop) -> None:
        self.stock = 10_000
        self.units = 2
        self.sku = shop.book(self.stock)
        self.accepted: list[str] = []
        self._url = shop.url
        self._end = Event()
        self._thread = Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the wish in hand."""
        self._end.set()
        self._thread.join()

    def places_another(self, seconds: float = 60) -> str:
        """Wait for an order accepted after now; gives its id."""
        before = len(self.accepted)
        until(lambda: len(self.accepted) > before, seconds)
        return self.accepted[-1]

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._end.wait(PAUSE_SECONDS):
                self._place(client)

    def _place(self, client: httpx.Client) -> None:
        key = {"Idempotency-Key": f"load-{uuid4().hex}"}
        while True:
            try:
                answer = client.post("/orders", json=order_of((self.sku, self.units)), headers=key)
            except httpx.TransportError:
                self._end.wait(AGAIN_SECONDS)
                continue
            if answer.status_code == 202:
                self.accepted.append(answer.json()["order_id"])
                return
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            self._end.wait(AGAIN_SECONDS)
