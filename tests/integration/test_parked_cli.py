"""`quire parked` on real servers: what it shows, asks, and hands to the owner."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from cli.main import quire
from cli.output import Failure
from domain.order.messages import CancelOrder
from store import parked, timers
from store.codec import encode
from store.connect import connect
from tests.integration.hand import message

Topics = Callable[[str, int], Awaitable[str]]


class Typed:
    """The command line on a database with some parked messages, of one topic of their own."""

    def __init__(self, dsn: str, kafka: str, path: Path, topic: str) -> None:
        self._dsn, self.topic = dsn, topic
        self._env = {"QUIRE_POSTGRES_DSN": dsn, "QUIRE_KAFKA": kafka, "QUIRE_STATE_DIR": str(path)}

    def quire(self, *words: str, stdin: str | bytes = "") -> Result:
        return CliRunner().invoke(quire, ["parked", *words], input=stdin, env=self._env)

    def lines(self, *words: str) -> list[dict[str, Any]]:
        done = self.quire(*words, "--json")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def park(self, count: int) -> list[int]:
        """Messages that nobody can decode, each of a key of its own."""

        async def insert() -> list[int]:
            async with await connect(self._dsn, name="test") as conn:
                now = await timers.now(conn)
                made = [
                    message(CancelOrder(f"{self.topic}-{n}"), uuid4().hex) for n in range(count)
                ]
                rows = [
                    parked.NewParked(
                        "quire-order", self.topic, 0, one.key, one.id, one.type, "bad_data",
                        "it lacks order_id", parked.dump_headers(one.headers()),
                        b'{"order":7}', now,
                    )
                    for one in made
                ]  # fmt: skip
                await parked.insert(conn, rows)
                cursor = await conn.execute(
                    "select id from parked where topic = %s order by id", (self.topic,)
                )
                return [row[0] for row in await cursor.fetchall()]

        return asyncio.run(insert())


@pytest.fixture
def typed(postgres_dsn: str, kafka: str, topics: Topics, tmp_path: Path) -> Typed:
    async def make() -> str:
        return await topics("orders", 1)

    return Typed(postgres_dsn, kafka, tmp_path, asyncio.run(make()))


def test_shown_by_cause_with_what_can_be_read(typed: Typed):
    first, *_ = typed.park(3)
    listed = typed.quire("list", "--topic", typed.topic).stdout
    assert "bad_data: 3 of quire-order, quire.order.cancel, 3 keys" in listed
    assert "it lacks order_id" in listed
    assert [each["key"] for each in typed.lines("list", "--topic", typed.topic)] == [
        f"{typed.topic}-{n}" for n in range(3)
    ]
    [shown] = typed.lines("show", str(first))
    assert (shown["body"], shown["attempts"]) == ({"order": 7}, 1)


def test_asks_before_it_redrives_and_says_what_would_become(typed: Typed):
    ids = typed.park(2)
    no = typed.quire("redrive", "--topic", typed.topic, stdin="n\n")
    assert "will send 2, 2 would fail" in no.stderr
    assert [each["wish"] for each in typed.lines("list", "--topic", typed.topic)] == [None, None]
    [told] = typed.lines("redrive", str(ids[0]), "--yes")
    assert (told["will_send"], told["would_fail"], told["marked"]) == (1, 1, 1)
    wishes = [each["wish"] for each in typed.lines("list", "--topic", typed.topic)]
    assert wishes == ["redrive", None]


@pytest.mark.parametrize(("answer", "marked"), [("y\n", 0), ("100\n", 0), ("101\n", 101)])
def test_above_a_hundred_the_number_has_to_be_typed(typed: Typed, answer: str, marked: int):
    typed.park(101)
    words = ("discard", "--topic", typed.topic, "--because", "a test")
    done = typed.quire(*words, stdin=answer)
    assert isinstance(done.exception, Failure) == (not marked)
    found = typed.lines("list", "--topic", typed.topic, "--limit", "1000")
    assert sum(each["wish"] == "discard" for each in found) == marked


def test_an_edit_from_stdin_waits_for_its_turn(typed: Typed):
    [number] = typed.park(1)
    bad = typed.quire("edit", str(number), "--file", "-", stdin='{"order":8}')
    assert isinstance(bad.exception, Failure)
    assert bad.exception.code == "bad_data"
    mended = CancelOrder(f"{typed.topic}-0")
    good = typed.quire("edit", str(number), "--file", "-", stdin=encode(mended))
    assert good.exit_code == 0, good.output
    [shown] = typed.lines("show", str(number))
    assert (shown["wish"], shown["edit"]["body"]) == ("edit", {"order_id": mended.order_id})
    assert shown["body"] == {"order": 7}


def test_a_selection_has_to_be_made(typed: Typed):
    assert typed.quire("redrive", "--yes").exit_code == 2
    missing = typed.quire("redrive", "999999999", "--yes")
    assert isinstance(missing.exception, Failure)
    assert missing.exception.code == "not_parked"
