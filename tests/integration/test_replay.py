"""An auditor reads facts again: all of them, in order, byte for byte."""

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from store import log, replaying
from store.chain import link
from tests.integration.facts import life, record


def replay(dsn: str, *words: str, code: int = 0) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "replay", *words, "--json"],
        env={**os.environ, "QUIRE_POSTGRES_DSN": dsn},
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def hash_of(fact: dict[str, Any], previous: str) -> str:
    """What an auditor computes from a printed fact, with nothing of the database at hand."""
    return link(
        bytes.fromhex(previous), fact["stream"], fact["version"], fact["type"], UUID(fact["id"]),
        datetime.fromisoformat(fact["occurred_at"]), datetime.fromisoformat(fact["recorded_at"]),
        fact["correlation"], UUID(fact["causation"]), fact["source"], fact["imported"],
        fact["text"].encode(),
    ).hex()  # fmt: skip


async def test_all_facts_come_in_order_and_prove_themselves(
    conn: AsyncConnection, postgres_dsn: str
):
    await record(conn, [*life("o-1"), *life("o-2", sku="cup")])
    facts = replay(postgres_dsn, "--all")
    assert len(facts) == len(life("o-1")) * 2
    assert [one["position"] for one in facts] == sorted(one["position"] for one in facts)
    heads: dict[str, str] = {}
    for fact in facts:
        assert json.loads(fact["text"]) == fact["data"]
        assert hash_of(fact, heads.get(fact["stream"], "")) == fact["hash"]
        heads[fact["stream"]] = fact["hash"]


async def test_one_order_has_its_facts_of_every_context_and_no_other(
    conn: AsyncConnection, postgres_dsn: str
):
    await record(conn, [*life("o-3"), *life("o-31")])
    facts = replay(postgres_dsn, "--order", "o-3")
    assert {one["stream"].partition("-")[0] for one in facts} == {
        "order", "reservation", "payment", "shipment", "notification"
    }  # fmt: skip
    assert {one["data"]["order_id"] for one in facts} == {"o-3"}
    middle = facts[4]["position"]
    later = replay(postgres_dsn, "--order", "o-3", "--from-position", str(middle))
    assert later == facts[4:]


async def test_from_a_position_on(conn: AsyncConnection, postgres_dsn: str):
    await record(conn, life("o-4"))
    everything = replay(postgres_dsn, "--all")
    last = everything[-1]["position"]
    assert replay(postgres_dsn, "--all", "--from-position", str(last)) == everything[-1:]
    assert replay(postgres_dsn, "--all", "--from-position", str(last + 1)) == []


async def test_what_comes_in_stretches_is_what_pages_are(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
):
    before = await log.head(conn)
    await record(conn, [*life("o-5"), *life("o-6", sku="cup")])
    monkeypatch.setattr(replaying, "_AT_ONCE", 7)
    facts = [fact async for fact in replaying.all_facts(conn, before)]
    assert facts == await log.tail(conn, before, 1_000)
    assert len(facts) == 2 * len(life("o-5"))


def test_an_unknown_order_and_no_choice(postgres_dsn: str):
    assert replay(postgres_dsn, "--order", "nobody", code=4)[0]["error"]["code"] == "order_unknown"
    assert replay(postgres_dsn, code=2)[0]["error"]["code"] == "usage"
