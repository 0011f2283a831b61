"""`quire audit reconcile`: what only one side knows is named."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.message import Money
from domain.payment.messages import AuthorizePayment, CapturePayment, RefundPayment
from gateways.ledger import Entry, read_ledger
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic, settings
from tests.integration.provider_process import ProviderProcess, running_provider


def pounds(minor: int) -> Money:
    return Money(minor, "GBP")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ProviderProcess]:
    with running_provider(tmp_path) as running:
        yield running


class Shop:
    """A database that an engine writes and the verb reads."""

    def __init__(self, dsn: str, path: Path, provider: ProviderProcess) -> None:
        self.dsn, self.path, self.provider = dsn, path, provider
        self.order = f"o-{uuid4().hex[:8]}"

    async def sell(self) -> None:
        """900 held, 400 and 500 taken, 150 given back."""
        chosen = settings(self.dsn, self.path, provider_url=self.provider.url)
        engine = Engine(declare("payment", chosen), chosen)
        await engine.own({0: None})
        topic = Topic()
        wishes = [
            AuthorizePayment(self.order, 1, pounds(900), "tok_approve"),
            CapturePayment(self.order, f"{self.order}.1", pounds(400)),
            CapturePayment(self.order, f"{self.order}.2", pounds(500), True),
            RefundPayment(self.order, "r1", pounds(150)),
        ]
        await engine.handle(
            [topic.command(wish, f"{self.order}/{n}") for n, wish in enumerate(wishes)]
        )
        await engine.close()

    def reconcile(self, *words: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "audit", "reconcile", "--json", *words],
            check=False,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "QUIRE_POSTGRES_DSN": self.dsn,
                "QUIRE_STATE_DIR": str(self.path),
                "QUIRE_PROVIDER_URL": self.provider.url,
            },
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def differences(self, entries: list[Entry]) -> list[dict[str, Any]]:
        """Against another ledger than the provider's own."""
        other = self.path / "other.jsonl"
        other.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in entries))
        code, told = self.reconcile("--settle-seconds", "0", "--ledger", str(other))
        assert code == (1 if told["differences"] else 0)
        return told["differences"]


@pytest.fixture
async def shop(postgres_dsn: str, tmp_path: Path, process: ProviderProcess) -> Shop:
    made = Shop(postgres_dsn, tmp_path, process)
    await made.sell()
    return made


async def test_what_both_know_is_found_equal_and_what_one_knows_is_named(shop: Shop):
    provider = shop.provider
    assert provider.approved("capture") == [400, 500]
    code, told = shop.reconcile("--settle-seconds", "0")
    assert (code, told) == (0, {"ok": True, "orders": 1, "left_out": 0, "differences": []})
    code, told = shop.reconcile()
    assert (code, told["orders"], told["left_out"]) == (0, 0, 1), "touched a moment ago"

    held, first, second, refund = read_ledger(shop.path / "provider" / "ledger.jsonl")
    [missing] = shop.differences([held, first, refund])
    assert missing["code"] == "only_in_log"
    assert (missing["step"], missing["subject"]) == ("capture", f"{shop.order}.2")
    assert (missing["log"], missing["provider"]) == (500, None)

    twice = msgspec.structs.replace(second, key="again")
    [more] = shop.differences([held, first, second, twice, refund])
    assert (more["code"], more["key"], more["provider"]) == ("only_at_provider", "again", 500)

    other = msgspec.structs.replace(refund, amount_minor=151)
    [differs] = shop.differences([held, first, second, other])
    assert (differs["code"], differs["log"], differs["provider"]) == ("amounts_differ", 150, 151)

    declined = msgspec.structs.replace(second, key="no", outcome="declined")
    assert shop.differences([held, first, second, refund, declined]) == []

    swapped = [
        msgspec.structs.replace(first, subject=second.subject),
        msgspec.structs.replace(second, subject=first.subject),
    ]
    assert {one["code"] for one in shop.differences([held, *swapped, refund])} == {"amounts_differ"}

    stranger = msgspec.structs.replace(held, order_id="o-else", key="else")
    [unknown] = shop.differences([held, first, second, refund, stranger])
    assert (unknown["code"], unknown["order_id"]) == ("only_at_provider", "o-else")
