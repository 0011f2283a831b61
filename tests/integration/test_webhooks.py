"""Notices of the payment provider: believed when they are signed, and heard once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import uvicorn

from api.app import create_app
from api.settings import Settings
from bus.message import API, Message
from domain.message import Money
from domain.payment.messages import ConfirmAuthentication, RecordProviderNotice
from gateways.provider.notices import Notices
from gateways.signature import HEADER, sign
from gateways.wire import Notice, NoticeType
from stack.ports import free_ports
from store import catalogue
from store.catalogue import Item
from store.codec import decode_command
from store.connect import connect

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "shared"  # the test's own
PATH = "/webhooks/payments"


class Kept:
    """Keeps what is published to the payments' topic."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def publish(self, topic: str, message: Message) -> None:
        if topic == "quire.payment.commands":
            self.messages.append(message)


class Door:
    """The API with one order in it."""

    def __init__(self, client: httpx.AsyncClient, kept: Kept, app: Any) -> None:
        self.client, self.kept, self.app = client, kept, app
        self.order_id = ""

    def notice(self, kind: NoticeType, subject: str = "1") -> Notice:
        id = f"ntc-{uuid4().hex}"
        return Notice(id, kind, self.order_id, "3ds-1", Money(500, "EUR"), AT, subject)

    async def hears(
        self, notice: object, *, secret: str = SECRET, at: datetime | None = None
    ) -> httpx.Response:
        body = msgspec.json.encode(notice)
        signed = sign(secret, body, at or datetime.now(UTC))
        headers = {HEADER: signed, "Content-Type": "application/json"}
        return await self.client.post(PATH, content=body, headers=headers)

    def commands(self) -> list[Any]:
        return [decode_command(one.type, one.data) for one in self.kept.messages]


@pytest.fixture
async def door(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with await connect(postgres_dsn, name="test") as conn:
        await catalogue.put(conn, [Item("mug", "Mug", Money(500, "EUR"))])
    settings = Settings.model_validate(
        {
            "postgres_dsn": postgres_dsn,
            "kafka": "127.0.0.1:1",
            "state_dir": tmp_path,
            "webhook_secret": SECRET,
        }
    )
    kept = Kept()
    app = create_app(settings, kept)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            made = Door(client, kept, app)
            placed = await client.post(
                "/orders",
                json={"lines": [{"sku": "mug", "quantity": 1}], "payment_method": "tok_3ds"},
            )
            made.order_id = placed.json()["order_id"]
            yield made


async def test_the_customer_came_back(door: Door):
    answer = await door.hears(door.notice("authentication.completed", "2"))
    assert answer.status_code == 202
    assert door.commands() == [ConfirmAuthentication(door.order_id, 2)]
    [message] = door.kept.messages
    assert (message.source, message.key) == (API, door.order_id)
    assert (message.subject, message.correlation) == (f"payment-{door.order_id}", door.order_id)


async def test_a_charge_was_authorised(door: Door):
    notice = door.notice("charge.authorized")
    assert (await door.hears(notice)).status_code == 202
    assert door.commands() == [
        RecordProviderNotice(door.order_id, notice.id, "3ds-1", "authorized", Money(500, "EUR"), AT)
    ]


async def test_a_notice_that_comes_again_is_heard_once(door: Door):
    notice = door.notice("charge.declined")
    answers = [await door.hears(notice) for _ in range(2)]
    answers += await asyncio.gather(*(door.hears(notice) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len({message.id for message in door.kept.messages}) == 1
    other = msgspec.structs.replace(notice, type="charge.authorized")
    reused = await door.hears(other)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_callers_key_is_none_of_the_providers(door: Door):
    notice = door.notice("charge.authorized")
    placed = await door.client.post(
        "/orders",
        json={"lines": [{"sku": "mug", "quantity": 1}], "payment_method": "tok_approve"},
        headers={"Idempotency-Key": notice.id},
    )
    assert placed.status_code == 202
    assert (await door.hears(notice)).status_code == 202
    assert len(door.commands()) == 1


@pytest.mark.parametrize("minutes", [-5.5, 5.5])
async def test_an_old_time_is_refused(door: Door, minutes: float):
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    answer = await door.hears(door.notice("charge.authorized"), at=at)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_old")
    assert door.kept.messages == []


async def test_a_notice_grows_old(door: Door):
    notice, signed = door.notice("charge.authorized"), datetime.now(UTC)
    for minutes, expected in ((5.5, 401), (4.5, 202)):
        door.app.state.service.clock = lambda late=minutes: signed + timedelta(minutes=late)
        assert (await door.hears(notice, at=signed)).status_code == expected


async def test_another_secret_or_none_is_refused(door: Door):
    notice = door.notice("charge.authorized")
    wrong = await door.hears(notice, secret="guessed")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signature_wrong")
    bare = await door.client.post(PATH, content=msgspec.json.encode(notice))
    assert (bare.status_code, bare.json()["code"]) == (401, "signature_missing")
    assert bare.headers["content-type"] == "application/problem+json"
    assert door.kept.messages == []


async def test_what_is_not_known_is_refused(door: Door):
    wrongs: list[object] = [
        {"id": "n", "type": "charge.exploded"},
        [],
        door.notice("authentication.completed", "renewal"),
        msgspec.structs.replace(door.notice("charge.authorized"), id=""),
    ]
    for wrong in wrongs:
        answer = await door.hears(wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "notice_not_known"), wrong
    stranger = msgspec.structs.replace(door.notice("charge.authorized"), order_id="o-else")
    answer = await door.hears(stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
    assert door.kept.messages == []


async def test_a_notice_is_sent_until_it_is_taken(door: Door, tmp_path: Path):
    """Nobody listens at first; the sender is ended meanwhile and takes up what was left."""
    [port] = free_ports(1)
    book = tmp_path / "notices.jsonl"
    url = f"http://127.0.0.1:{port}{PATH}"
    first = Notices(book, url, SECRET)
    await first.now(door.notice("charge.authorized"), copies=2)
    await first.close()
    config = uvicorn.Config(door.app, port=port, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    second = Notices(book, url, SECRET)
    second.start()
    async with asyncio.timeout(20):
        while book.read_bytes().count(b"\n") < 4:  # two that waited, and that they are done
            await asyncio.sleep(0.02)
    await second.close()
    assert len(door.commands()) == 1
    Notices(book, url, SECRET)
    assert book.read_bytes() == b"", "what was taken is sent no more"
    server.should_exit = True
    await serving
