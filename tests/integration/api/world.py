"""What the tests of the API share: a publisher that keeps what it is given, an order."""

import httpx

from bus.message import Message
from bus.publisher import PublishFailed
from store.connect import AsyncConnection
from streams.projector import Projector

ITEMS = [
    {"sku": "mug", "title": "Mug", "price": {"amount_minor": 500, "currency": "EUR"}},
    {"sku": "pen", "title": "Pen", "price": {"amount_minor": 120, "currency": "GBP"}},
]
ORDER = {
    "lines": [{"sku": "mug", "quantity": 2}],
    "payment_method": "tok_approve",
    "contact": {"name": "Ada", "email": "ada@example.org", "address": "Somewhere 1"},
}


class Kept:
    """A publisher that keeps what it is given, and fails when it is told to."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.down = False

    async def publish(self, topic: str, message: Message) -> None:
        if self.down:
            raise PublishFailed("down")
        self.messages.append((topic, message))


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert {"type", "title", "detail"} <= problem.keys()
    return problem["code"]


async def catch_up(conn: AsyncConnection) -> None:
    projector = Projector(conn)
    while await projector.step():
        pass
