"""What a mail server may answer, by a real SMTP server that is told what to say."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.notification.messages import DeliveryAnswer, DeliveryRequest
from gateways.breaker import Breaker
from gateways.recipients import ContactErased, ContactNotReadable, Recipient
from gateways.smtp import SmtpSender
from gateways.smtp_server import Server

REQUEST = DeliveryRequest("k", "o-1.x", "o-1", "order_shipped", "email", "", "sealed", "en", {})


class Book:
    """Everybody's address is the same, unless `told` says otherwise."""

    def __init__(self, told: Exception | None = None) -> None:
        self._told = told
        self.asked = 0

    async def recipient(self, request: DeliveryRequest) -> Recipient:
        self.asked += 1
        if self._told is not None:
            raise self._told
        return Recipient("ada@orchard.example", "Ada")

    async def close(self) -> None: ...


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Moods:
    """An SMTP server that answers as it is told; None lets the caller wait."""

    def __init__(self) -> None:
        self.rcpt: str | None = "250 fine"
        self.data: str | None = "250 fine"
        self.taken: list[str] = []
        self.sessions = 0
        self.port = 0
        self.transports: list[asyncio.BaseTransport] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt is None:
            await asyncio.Event().wait()
        if str(self.rcpt).startswith("2"):
            envelope.rcpt_tos.append(address)
        return str(self.rcpt)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if str(self.data).startswith("2"):
            self.taken.append(str(envelope.rcpt_tos[0]))
        return str(self.data)

    def cut(self) -> None:
        """Close what is open, as a server does after a while."""
        for transport in self.transports:
            transport.close()
        self.transports.clear()


@asynccontextmanager
async def moods() -> AsyncGenerator[Moods]:
    made = Moods()

    class Counted(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.sessions += 1
            made.transports.append(transport)
            super().connection_made(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Counted(made, hostname="test", loop=loop), "127.0.0.1", 0
    )
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.cut()
        server.close()


@asynccontextmanager
async def sending(
    port: int, book: Book | None = None, *, breaker: Breaker | None = None, seconds: float = 4
) -> AsyncGenerator[SmtpSender]:
    server = Server("127.0.0.1", port, "shop@quire.example", tls="none", seconds=seconds)
    sender = SmtpSender(server, book or Book(), breaker)
    try:
        yield sender
    finally:
        await sender.close()


@pytest.mark.parametrize(
    ("at", "said", "meant"),
    [
        ("rcpt", "550 no such box", DeliveryAnswer("failed", "smtp_550")),
        ("rcpt", "450 greylisted", DeliveryAnswer("unreachable", "smtp_450")),
        ("data", "554 not this", DeliveryAnswer("failed", "smtp_554")),
        ("data", "452 disk full", DeliveryAnswer("unreachable", "smtp_452")),
        ("data", "250 fine", DeliveryAnswer("sent")),
    ],
)
async def test_what_a_code_means(at: str, said: str, meant: DeliveryAnswer):
    async with moods() as server, sending(server.port) as sender:
        setattr(server, at, said)
        assert await sender.perform(REQUEST) == meant


async def test_a_refusal_does_not_stop_the_others():
    async with moods() as server, sending(server.port) as sender:
        server.rcpt = "550 no such box"
        for _ in range(5):
            assert (await sender.perform(REQUEST)).outcome == "failed"
        server.rcpt = "250 fine"
        assert await sender.perform(REQUEST) == DeliveryAnswer("sent")


async def test_connections_are_used_again_and_replaced_when_the_server_closes_them():
    async with moods() as server, sending(server.port) as sender:
        for _ in range(3):
            assert await sender.perform(REQUEST) == DeliveryAnswer("sent")
        assert server.sessions == 1
        server.cut()
        assert await sender.perform(REQUEST) == DeliveryAnswer("sent")
        assert (server.sessions, len(server.taken)) == (2, 4)


async def test_a_server_that_hangs_is_unreachable():
    async with moods() as server, sending(server.port, seconds=0.2) as sender:
        server.rcpt = None
        assert await sender.perform(REQUEST) == DeliveryAnswer("unreachable", "smtp_away")


async def test_who_does_not_answer_is_left_alone_and_no_contact_is_opened_for_it():
    async with moods() as server:
        port = server.port
    clock, book = Clock(), Book()
    async with sending(port, book, breaker=Breaker(clock)) as sender:
        told = [await sender.perform(REQUEST) for _ in range(20)]
        assert set(told) == {DeliveryAnswer("unreachable", "smtp_away")}
        assert book.asked == 3
        clock.now += 5
        await sender.perform(REQUEST)
        assert book.asked == 4


async def test_a_password_that_is_wrong_is_worth_another_try():
    async with moods() as server:
        server_ = Server(
            "127.0.0.1", server.port, "s@q.example", "user", "secret", tls="none", seconds=4
        )
        sender = SmtpSender(server_, Book())
        assert (await sender.perform(REQUEST)).outcome == "unreachable"
        await sender.close()


async def test_no_tls_where_it_is_wanted_sends_nothing():
    async with moods() as server:
        sender = SmtpSender(Server("127.0.0.1", server.port, "s@q.example", seconds=4), Book())
        assert (await sender.perform(REQUEST)).outcome == "unreachable"
        await sender.close()
        assert server.taken == []


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (ContactErased(), DeliveryAnswer("failed", "contact_erased")),
        (ContactNotReadable("x"), DeliveryAnswer("unreachable", "x")),
    ],
)
async def test_what_the_contacts_say(told: Exception, meant: DeliveryAnswer):
    async with moods() as server, sending(server.port, Book(told)) as sender:
        assert await sender.perform(REQUEST) == meant


async def test_a_fault_says_nothing_of_the_person():
    async with moods() as server:
        fault = KeyError("ada@orchard.example")
        async with sending(server.port, Book(fault)) as sender:
            with pytest.raises(RuntimeError) as raised:
                await sender.perform(REQUEST)
    assert "orchard" not in repr(raised.value)
    assert raised.value.__cause__ is None
