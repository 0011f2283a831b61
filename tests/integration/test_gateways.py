"""Payments against the simulated provider: its ledger and the log say the same (PROTOCOL 4)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.message import Money
from domain.payment.messages import (
    AuthorizePayment,
    CapturePayment,
    PaymentCommand,
    ProviderRequest,
    RefundPayment,
    VoidAuthorization,
)
from gateways.ledger import SimulatedProvider, read_ledger
from store.connect import AsyncConnection, connect
from store.log import Recorded, read_streams
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic, settings


def pounds(minor: int) -> Money:
    return Money(minor, "GBP")


class Payments:
    """An owner of the payments, its provider's ledger, and one order."""

    def __init__(self, dsn: str, path: Path, conn: AsyncConnection) -> None:
        self._dsn, self._path, self._conn = dsn, path, conn
        self._topic = Topic()
        self._sent = 0
        self.order = f"o-{uuid4().hex[:8]}"
        self.engine: Engine | None = None

    async def begin(self) -> Engine:
        chosen = settings(self._dsn, self._path)
        self.engine = Engine(declare("payment", chosen), chosen)
        await self.engine.own({0: None})
        return self.engine

    async def handle(self, *commands: PaymentCommand) -> None:
        engine = self.engine or await self.begin()
        self._sent += len(commands)
        await engine.handle(
            [
                self._topic.command(command, f"{self.order}/{self._sent}/{n}")
                for n, command in enumerate(commands)
            ]
        )

    async def facts(self) -> list[Recorded]:
        stream = f"payment-{self.order}"
        return (await read_streams(self._conn, [stream])).get(stream, [])

    async def in_the_log(self) -> list[tuple[str, int]]:
        moved = {
            "authorized": "authorize", "captured": "capture", "refunded": "refund",
            "voided": "void",
        }  # fmt: skip
        found: list[tuple[str, int]] = []
        for fact in await self.facts():
            event: Any = fact.event
            word = fact.type.split(".")[2]
            if word in moved:
                found.append((moved[word], event.amount.amount_minor))
        return found

    def in_the_ledger(self) -> list[tuple[str, int]]:
        entries = read_ledger(self._path / "provider" / "ledger.jsonl")
        return [
            (entry.step, entry.amount_minor)
            for entry in entries
            if entry.order_id == self.order and entry.outcome == "approved"
        ]


@pytest.fixture
async def payments(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Payments]:
    async with await connect(postgres_dsn, name="test") as conn:
        made = Payments(postgres_dsn, tmp_path, conn)
        yield made
        if made.engine is not None:
            await made.engine.close()


async def test_authorised_and_voided_in_one_batch(payments: Payments):
    """11."""
    order = payments.order
    await payments.handle(
        AuthorizePayment(order, 1, pounds(900), "tok_approve"), VoidAuthorization(order, "cancel")
    )
    assert payments.in_the_ledger() == [("authorize", 900), ("void", 900)]
    assert await payments.in_the_log() == payments.in_the_ledger()


async def test_two_captures_and_two_equal_refunds(payments: Payments):
    """11: equal amounts are two wishes when they have two names, and one when they have one."""
    order = payments.order
    await payments.handle(
        AuthorizePayment(order, 1, pounds(900), "tok_approve"),
        CapturePayment(order, f"{order}.1", pounds(400)),
        CapturePayment(order, f"{order}.2", pounds(500), True),
        CapturePayment(order, f"{order}.2", pounds(500), True),
        RefundPayment(order, "r1", pounds(200)),
        RefundPayment(order, "r2", pounds(200)),
        RefundPayment(order, "r2", pounds(200)),
    )
    assert payments.in_the_ledger() == [
        ("authorize", 900), ("capture", 400), ("capture", 500), ("refund", 200), ("refund", 200),
    ]  # fmt: skip
    assert await payments.in_the_log() == payments.in_the_ledger()


async def test_a_late_answer_is_recorded_in_whatever_state_the_stream_is(payments: Payments):
    """11: the void came first; an authorisation that is late is refused, and nothing is held."""
    order = payments.order
    await payments.handle(VoidAuthorization(order, "cancel"))
    await payments.handle(AuthorizePayment(order, 1, pounds(900), "tok_approve"))
    assert payments.in_the_ledger() == []
    assert [fact.type for fact in await payments.facts()] == ["quire.payment.voided.v1"]


async def test_a_stale_fence_asks_the_provider_again_and_charges_once(payments: Payments):
    """10: the answer came, another owner had taken over, and everything is decided again."""
    order = payments.order
    zombie = await payments.begin()
    await payments.handle(AuthorizePayment(f"{order}-else", 1, pounds(100), "tok_approve"))
    taken = await payments.begin()
    await payments.handle(AuthorizePayment(f"{order}-more", 1, pounds(100), "tok_approve"))
    payments.engine = zombie
    await payments.handle(
        AuthorizePayment(order, 1, pounds(900), "tok_approve"),
        CapturePayment(order, f"{order}.1", pounds(900), True),
    )
    assert payments.in_the_ledger() == [("authorize", 900), ("capture", 900)]
    assert await payments.in_the_log() == payments.in_the_ledger()
    await taken.close()


async def test_a_provider_that_was_killed_in_its_line_never_answered(tmp_path: Path):
    """What stands half in the ledger is no answer; the next request writes over it."""
    book = tmp_path / "ledger.jsonl"
    provider = SimulatedProvider(book)
    await provider.perform(ProviderRequest("authorize", "k1", "o", pounds(5), "tok_approve"))
    with book.open("ab") as ledger:
        ledger.write(b'{"key":"k2","step":"auth')
    other = SimulatedProvider(book)
    answer = await other.perform(ProviderRequest("authorize", "k3", "o", pounds(5), "tok_decline"))
    assert answer.outcome == "declined"
    assert [entry.key for entry in read_ledger(book)] == ["k1", "k3"]
    provider.close()
    other.close()
