"""Repeats change nothing, and what looks alike is not the same."""

import asyncio
from pathlib import Path

from bus.message import RELAY
from domain.catalog import COMMANDS
from domain.inventory.messages import ReserveStock
from domain.message import Line, Money
from domain.order.messages import OrderPlaced
from store import catalogue, log, outcomes
from store.catalogue import Item
from store.connect import AsyncConnection
from streams.agents import declare
from streams.engine import Engine
from streams.reactions import commands_of
from tests.integration.api.world import code_of
from tests.integration.facts import record
from tests.integration.hand import Topic, settings
from tests.integration.intake.world import AT
from tests.integration.intake_world import ORDER, SOURCE, Intake, item, plain


async def test_the_same_place_under_another_source_is_another_record(intake: Intake):
    headers = [
        plain("partner.goods-receipts", 0, 1),
        plain("partner.goods-receipts", 1, 1),
        plain("partner.goods-receipts", 0, 1, **{"ce-sourcename": "other"}),
        plain(
            "partner.goods-receipts",
            0,
            1,
            **{"ce-source": "/kafkasources/b#partner.goods-receipts"},
        ),
    ]
    body = b'{"lines":[{"sku":"place","quantity":1}]}'
    for each in headers * 2:
        assert (await intake.post(body, each)).status_code == 202
    assert len(intake.commands()) == len(headers)


async def test_fifty_at_once_are_one_command(intake: Intake, conn: AsyncConnection):
    posts = (intake.binary("partner.order.v1", "fifty", ORDER) for _ in range(50))
    answers = await asyncio.gather(*posts)
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert len({message.id for _, message in intake.kept.messages}) == 1
    cursor = await conn.execute(
        "select count(*), count(distinct command_id) from idempotency where key = 'fifty'"
    )
    assert await cursor.fetchone() == (1, 1)


async def test_an_id_names_one_event(intake: Intake):
    receipt = {"lines": [{"sku": "mug", "quantity": 1}]}
    answers = [
        await intake.binary("partner.goods-receipt.v1", "once", receipt),
        await intake.binary("partner.goods-receipt.v1", "once", receipt, ce_source="//other"),
        await intake.binary("partner.goods-receipt.v1", "once", receipt, ce_time=AT),
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len(intake.commands()) == 2
    more = {"lines": [{"sku": "mug", "quantity": 2}, {"sku": "pen", "quantity": 2}]}
    answer = await intake.binary("partner.goods-receipt.v1", "once", more)
    assert (answer.status_code, code_of(answer)) == (422, "event_id_reused")
    assert answer.headers["kne-reason"] == "event_id_reused"
    assert len(intake.commands()) == 2


async def test_ids_that_look_alike_are_two(intake: Intake):
    receipt = {"lines": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 1}]}
    pairs = [("a|b", "c"), ("a", "b|c"), ("a#1", "c"), ("a", "c"), ("1:a", "c")]
    for source, id in pairs:
        answer = await intake.binary("partner.goods-receipt.v1", id, receipt, ce_source=source)
        assert answer.status_code == 202
    assert len({message.id for _, message in intake.kept.messages}) == 2 * len(pairs)


async def test_what_kafka_did_not_take_comes_again_with_its_extensions(intake: Intake):
    intake.kept.down = True
    answer = await intake.binary("partner.order.v1", "down", ORDER, ce_shop="north")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    intake.kept.down = False
    assert (await intake.binary("partner.order.v1", "down", ORDER)).status_code == 202
    [(_, message)] = intake.kept.messages
    assert ("ce_shop", b"north") in message.headers()


async def test_a_repeat_counts_although_the_item_is_gone(intake: Intake, conn: AsyncConnection):
    await catalogue.put(conn, [Item("rare", "Rare", Money(1, "EUR"))])
    rare = {**ORDER, "lines": [{"sku": "rare", "quantity": 1}]}
    assert (await intake.binary("partner.order.v1", "rare", rare)).status_code == 202
    await conn.execute("delete from catalogue where sku = 'rare'")
    await conn.execute("notify quire_catalogue")
    n = 0
    while (await intake.binary("partner.order.v1", f"rare-{n}", rare)).status_code != 422:
        n += 1
    before = len(intake.commands())
    again = [item("partner.order.v1", "rare", rare), item("partner.order.v1", "rare", rare)]
    assert (await intake.structured(again[0])).status_code == 202
    assert (await intake.structured(again, batch=True)).status_code == 202
    assert len(intake.commands()) == before


async def test_an_outside_id_equal_to_a_coming_relay_id(
    intake: Intake, postgres_dsn: str, tmp_path: Path, conn: AsyncConnection
):
    """PROTOCOL 2, test 6: an event is named like the command that the relay will send next."""
    lines = (Line(1, "named", 1, Money(500, "EUR")),)
    await record(conn, [OrderPlaced("o-6", lines, Money(500, "EUR"))])
    [placed] = await log.read_order(conn, "o-6")
    [(coming, reserve)] = [
        (one.id, one)
        for one in commands_of(placed, dict.fromkeys(COMMANDS, 0))
        if one.type == ReserveStock.kind
    ]
    receipt = {"lines": [{"sku": "named", "quantity": 1}]}
    for source in (SOURCE, RELAY):
        answer = await intake.binary(
            "partner.goods-receipt.v1", str(coming), receipt, ce_source=source
        )
        assert answer.status_code == 202
    received = [message for _, message in intake.kept.messages]
    assert coming not in {message.id for message in received}

    chosen = settings(postgres_dsn, tmp_path)
    engine = Engine(declare("inventory", chosen), chosen)
    await engine.own({0: 0})
    topic = Topic()
    await engine.handle([topic.send(message) for message in [*received, reserve]])
    await engine.close()
    found = await outcomes.find(conn, [coming, *(message.id for message in received)])
    assert {outcome.result for outcome in found.values()} == {"applied"}
    assert len(found) == 3
