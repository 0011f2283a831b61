"""A webhook against a real HTTP server on loopback."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from domain.notification.messages import DeliveryAnswer, DeliveryRequest
from gateways.webhook import WebhookNotUsable, WebhookSender

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
REQUEST = DeliveryRequest(
    "o-1.order_confirmed.webhook.1", "o-1.order_confirmed.webhook.1", "o-1", "order_confirmed",
    "webhook", "c-1", "sealed-and-none-of-their-business", "en", {"amount": "1299 GBP"},
)  # fmt: skip
URL = "http://127.0.0.1:1/hook"


class Shop:
    """Answers each request with the same status, and remembers what it was sent."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.url = ""
        self.seen: list[tuple[dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = dict(line.lower().split(": ", 1) for line in head)
        raw = dict(line.split(": ", 1) for line in head)
        body = await reader.readexactly(int(headers["content-length"]))
        self.seen.append(({key.lower(): value for key, value in raw.items()}, body))
        writer.write(
            f"HTTP/1.1 {self.status} X\r\nlocation: {self.url}\r\ncontent-length: 0\r\n"
            "connection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def shop(status: int) -> AsyncGenerator[Shop]:
    made = Shop(status)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield made


async def answer(status: int) -> tuple[DeliveryAnswer, Shop]:
    async with shop(status) as made:
        sender = WebhookSender(made.url, SECRET, clock=lambda: 1_700_000_000.9)
        told = await sender.perform(REQUEST)
        await sender.close()
    return told, made


async def test_it_is_signed_with_its_id_and_its_time():
    told, made = await answer(204)
    assert told == DeliveryAnswer("sent")
    [(headers, body)] = made.seen
    assert headers["webhook-timestamp"] == "1700000000"
    signed = headers["webhook-id"].encode() + b".1700000000." + body
    digest = hmac.new(b"k" * 32, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert json.loads(body) == {
        "type": "quire.order_confirmed",
        "data": {
            "notification_id": REQUEST.notification_id,
            "order_id": "o-1",
            "customer_id": "c-1",
            "language": "en",
            "amount": "1299 GBP",
        },
    }


async def test_a_repeat_has_the_same_id():
    ids = {(await answer(200))[1].seen[0][0]["webhook-id"] for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "sent"), (202, "sent"), (400, "failed"), (404, "failed"), (410, "failed"),
        (408, "unreachable"), (429, "unreachable"), (500, "unreachable"), (503, "unreachable"),
        (302, "unreachable"),
    ],
)  # fmt: skip
async def test_what_an_answer_means(status: int, outcome: str):
    told, made = await answer(status)
    assert told.outcome == outcome
    assert len(made.seen) == 1, "no redirect is followed"


async def test_nobody_there_is_unreachable_and_soon_not_asked_any_more():
    async with shop(200) as made:
        url = made.url
    sender = WebhookSender(url, SECRET)
    told = [await sender.perform(REQUEST) for _ in range(5)]
    await sender.close()
    assert set(told) == {DeliveryAnswer("unreachable", "webhook_away")}


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://shop.example/hook", SECRET),
        ("ftp://127.0.0.1/hook", SECRET),
        ("https:///hook", SECRET),
        (URL, ""),
        (URL, "whsec_c2hvcnQ="),
        (URL, "not base64!"),
    ],
)
def test_what_is_not_safe_is_refused(url: str, secret: str):
    with pytest.raises(WebhookNotUsable):
        WebhookSender(url, secret)
