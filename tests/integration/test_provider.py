"""The payment provider as a process, asked by the adapter that the worker uses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from domain.message import Money
from domain.payment.messages import ProviderAnswer, ProviderRequest, Step
from gateways.breaker import Breaker
from gateways.http_provider import HttpProvider
from gateways.ledger import Entry
from tests.integration.provider_process import ProviderProcess, running_provider

SECONDS = 2.0


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ProviderProcess]:
    with running_provider(tmp_path) as running:
        yield running


class Clock:
    """Stands still until it is turned."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """An order of its own, and the adapter."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.provider = HttpProvider(url, timeout_seconds=SECONDS, breaker=Breaker(self.clock))
        self.order = f"o-{uuid4().hex[:8]}"

    async def ask(
        self, step: Step, amount: int, card: str = "", *, key: str = "", **more: Any
    ) -> ProviderAnswer:
        key = key or f"{self.order}/{step}/{uuid4()}"
        money = Money(amount, "GBP")
        request = ProviderRequest(step, key, self.order, money, card, **more)
        return await self.provider.perform(request)

    async def outcome(self, step: Step, amount: int, card: str = "", **more: Any) -> str:
        answer = await self.ask(step, amount, card, **more)
        return answer.code or answer.outcome


@pytest.fixture
async def caller(process: ProviderProcess) -> AsyncIterator[Caller]:
    made = Caller(process.url)
    yield made
    made.provider.close()


async def test_a_payment_in_parts(process: ProviderProcess, caller: Caller):
    assert await caller.outcome("authorize", 900, "tok_approve") == "approved"
    assert await caller.outcome("capture", 400, subject="p1") == "approved"
    assert await caller.outcome("capture", 600, subject="p2") == "more_than_authorized"
    assert await caller.outcome("void", 500) == "approved"
    assert await caller.outcome("refund", 401, subject="r1") == "more_than_captured"
    assert await caller.outcome("refund", 150, subject="r1") == "approved"
    assert process.approved("capture") == [400]
    assert process.approved("refund") == [150]
    answer = process.get("/v1/ledger", params={"order_id": caller.order})
    assert len(answer.content.splitlines()) == len(process.ledger()) == 6
    assert process.get("/v1/ledger").content == answer.content


async def test_a_repeat_gets_the_answer_of_the_first(process: ProviderProcess, caller: Caller):
    answers = await asyncio.gather(
        *(caller.ask("authorize", 900, "tok_approve", key="one") for _ in range(50))
    )
    assert len(set(answers)) == 1
    assert await caller.outcome("authorize", 901, "tok_approve", key="one") == (
        "idempotency_key_reused"
    )
    assert process.approved("authorize") == [900]


@pytest.mark.parametrize(
    ("card", "code", "retryable"),
    [
        ("tok_decline", "card_declined", False),
        ("tok_decline_insufficient", "insufficient_funds", True),
    ],
)
async def test_cards_that_are_declined(caller: Caller, card: str, code: str, retryable: bool):
    answer = await caller.ask("authorize", 900, card)
    assert (answer.outcome, answer.code, answer.retryable) == ("declined", code, retryable)


async def test_scripts_are_for_a_card_an_order_or_some_calls(
    process: ProviderProcess, caller: Caller
):
    process.script("decline", order_id=caller.order, calls=2, code="fraud", retryable=True)
    process.script("approve", token="tok_decline")
    assert await caller.outcome("authorize", 1, "tok_approve") == "fraud"
    assert await caller.outcome("authorize", 1, "tok_decline") == "approved"
    assert await caller.outcome("authorize", 1, "tok_approve") == "fraud"
    assert await caller.outcome("authorize", 1, "tok_approve") == "approved"
    process.clear()
    assert await caller.outcome("authorize", 1, "tok_decline") == "card_declined"
    assert process.get("/v1/scripts").json() == []
    wrong = process.post("/v1/scripts", json={"action": "explode"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_valid")


async def test_down_means_that_nothing_was_done(process: ProviderProcess, caller: Caller):
    process.script("unavailable", seconds=60)
    answer = await caller.ask("authorize", 900, "tok_approve", key="one")
    assert (answer.outcome, answer.code) == ("unreachable", "http_503")
    assert process.ledger() == []
    process.clear()
    assert await caller.outcome("authorize", 900, "tok_approve", key="one") == "approved"


async def test_down_ends_by_itself(process: ProviderProcess, caller: Caller):
    process.script("unavailable", seconds=SECONDS)
    assert (await caller.ask("authorize", 900, "tok_approve")).outcome == "unreachable"
    end = monotonic() + 30
    while (await caller.ask("authorize", 900, "tok_approve")).outcome != "approved":
        caller.clock.now += 10
        assert monotonic() < end
    assert process.approved("authorize") == [900]


async def test_a_charge_whose_answer_was_lost_is_made_once(
    process: ProviderProcess, caller: Caller
):
    await caller.ask("authorize", 900, "tok_approve")
    process.script("timeout", step="capture", calls=1)
    answer = await caller.ask("capture", 900, key="parcel")
    assert (answer.outcome, answer.code) == ("unknown", "no_answer_in_time")
    assert process.approved("capture") == [900]
    assert await caller.outcome("capture", 900, key="parcel") == "approved"
    assert process.approved("capture") == [900]


async def test_who_is_too_slow_has_done_it_when_asked_again(
    process: ProviderProcess, caller: Caller
):
    process.script("slow", seconds=SECONDS + 0.5, calls=1)
    assert (await caller.ask("authorize", 900, "tok_approve", key="a")).outcome == "unknown"
    assert await caller.outcome("authorize", 900, "tok_approve", key="a") == "approved"
    while len(process.ledger()) < 1:
        await asyncio.sleep(0.02)
    assert await caller.outcome("authorize", 900, "tok_approve", key="a") == "approved"
    assert process.approved("authorize") == [900]


async def test_killed_while_it_is_asked(process: ProviderProcess, caller: Caller):
    assert await caller.outcome("authorize", 900, "tok_approve") == "approved"
    process.script("timeout", calls=1)
    asking = asyncio.create_task(caller.ask("capture", 900, key="parcel"))
    while not process.approved("capture"):
        await asyncio.sleep(0.005)
    process.kill()
    assert (await asking).outcome == "unknown"
    answer = await caller.ask("capture", 900, key="parcel")
    assert (answer.outcome, answer.code) == ("unreachable", "no_connection")
    process.start()
    assert await caller.outcome("capture", 900, key="parcel") == "approved"
    assert process.approved("capture") == [900]


async def test_an_idle_connection_that_broke_is_not_believed(
    process: ProviderProcess, caller: Caller
):
    assert await caller.outcome("authorize", 900, "tok_approve") == "approved"
    process.kill()
    process.start()
    for _ in range(5):  # lets the loop hear that the connection ended
        await asyncio.sleep(0)
    assert await caller.outcome("capture", 900) == "approved"


async def test_after_three_failures_nobody_is_called(process: ProviderProcess, caller: Caller):
    process.script("timeout", step="capture")
    await caller.ask("authorize", 900, "tok_approve")
    answers = await asyncio.gather(*(caller.ask("capture", 1, key=f"p{n}") for n in range(200)))
    called = sum(answer.outcome == "unknown" for answer in answers)
    # 32 go out side by side; each of the first two that fail makes room for one more: a provider
    # that hangs holds a batch up for two time-outs and not for seven.
    assert 3 <= called <= 32 + 2
    assert {answer.code for answer in answers} == {"no_answer_in_time", "not_called"}
    assert len(process.approved("capture")) == called
    process.clear()
    assert (await caller.ask("capture", 1, key="p0")).code == "not_called"
    caller.clock.now += 5
    assert await caller.outcome("capture", 1, key="p0") == "approved"
    assert await caller.outcome("capture", 1, key="p199") == "approved"


async def test_what_is_no_header_is_no_way_in(process: ProviderProcess, caller: Caller):
    caller.order = "o\r\nX-Evil: 1\u0663 %"
    assert await caller.outcome("authorize", 900, "tok_approve", key=f"{caller.order}/a") == (
        "approved"
    )
    [entry] = process.ledger()
    assert entry.order_id == caller.order
    assert entry.key.isascii()


async def test_a_request_without_a_key_is_refused(process: ProviderProcess):
    body = {"order_id": "o", "amount": {"amount_minor": 1, "currency": "GBP"}}
    answer = process.post("/v1/authorize", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_missing")
    assert process.ledger() == []


async def test_the_page_of_3d_secure(process: ProviderProcess, caller: Caller):
    answer = await caller.ask("authorize", 1234, "tok_3ds", key="a", subject="1")
    assert answer.outcome == "action_required"
    shown = process.get(answer.url).text
    assert "12.34 GBP" in shown
    assert shown.count("<button>") == 2
    assert "confirmed" in process.post(f"{answer.url}/confirm").text
    assert "<button>" not in process.get(answer.url).text
    again = await caller.ask("authorize", 1234, reference=answer.reference, subject="1")
    assert (again.outcome, again.reference) == ("approved", answer.reference)
    assert process.approved("authorize") == [1234]
    assert process.get("/3ds/none").status_code == 404
    assert process.post("/3ds/none/confirm").status_code == 404


async def test_nobody_listens(tmp_path: Path):
    caller = Caller(ProviderProcess(tmp_path).url)
    answer = await caller.ask("authorize", 900, "tok_approve")
    assert (answer.outcome, answer.code) == ("unreachable", "no_connection")


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"hello\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    ],
)
async def test_what_is_no_answer_leaves_it_unknown(reply: bytes):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        caller = Caller(f"http://127.0.0.1:{port}")
        assert (await caller.ask("authorize", 900, "tok_approve")).outcome == "unknown"


async def test_it_ends_cleanly(process: ProviderProcess, caller: Caller):
    assert await caller.outcome("authorize", 900, "tok_approve") == "approved"
    assert process.stop() == 0
    assert [Entry] == [type(one) for one in process.ledger()]
