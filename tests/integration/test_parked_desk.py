"""Parked messages as a person sees and chooses them: by cause, with a preview, page by page."""

from typing import Any

import pytest

from api import moving, ops
from api.letters import Letters
from api.rehearsal import preview, tried
from bus.message import RELAY
from domain.inventory.messages import ReserveStock
from domain.message import SkuQuantity
from domain.order.messages import CancelOrder, PlaceOrder, RecordStockReserved
from stack import parked as stack_parked
from store import outcomes, parked, parked_choice, timers
from store.codec import encode
from store.parked_choice import Choice
from tests.integration.hand import message, named
from tests.integration.parked_world import Room, place

NO_LETTERS = Letters(None, None)


async def test_the_preview_says_what_would_become_of_each(room: Room, key: str):
    """Nothing is marked, written or sent by it; what it says comes true."""
    good, bad, refused = f"{key}-good", f"{key}-bad", f"{key}-refused"
    for each in (good, bad, refused):
        await room.park(each, room.topic.command(CancelOrder(each), f"{each}/cancel"))
    mended = {good: encode(place(good)), refused: encode(RecordStockReserved(refused))}
    for each, body in mended.items():
        kind = PlaceOrder.kind if each == good else RecordStockReserved.kind
        headers = parked.dump_headers(room.head(each, type=kind, source=RELAY))
        await room.conn.execute(
            "update parked set body = %s, headers = %s::json where key = %s and cause = 'bad_data'",
            (body, headers, each),
        )
    ids = [row.id for each in (good, bad, refused) for row in await room.rows(each)]

    seen = await room.post("redrive", ids=ids, dry_run=True)
    assert [row.wish for row in await room.rows(good)] == [None, None]
    assert (seen["will_send"], seen["would_fail"], seen["would_wait"]) == (5, 1, 1)
    assert [one["cause"] for one in seen["failing"]] == ["bad_data"]

    await room.post("redrive", ids=ids)
    assert await room.rows(good) == await room.rows(refused) == []
    assert [row.cause for row in await room.rows(bad)] == ["bad_data", parked.BEHIND]
    codes = await outcomes.find(room.conn, [named(f"{refused}/place"), named(f"{refused}/cancel")])
    told = {one["id"]: one["code"] for one in seen["refused"]}
    assert sorted(told.values()) == sorted(
        str(each.code) for each in codes.values() if each.result == "refused"
    )


async def test_a_selection_that_leaves_the_first_of_a_key_out_waits(room: Room, key: str):
    await room.park(key, room.topic.command(CancelOrder(key), f"{key}/cancel"))
    head, behind = await room.rows(key)
    seen = await preview(room.conn, Choice([behind.id]), NO_LETTERS)
    assert (seen.waiting, seen.sent) == (1, 0)
    assert (await preview(room.conn, Choice([head.id]), NO_LETTERS)).following == 1


async def test_stock_is_rehearsed_without_a_lock(room: Room, key: str, postgres_dsn: str):
    command = ReserveStock(key, (SkuQuantity(f"sku-{key}", 3),))
    row = parked.Parked(
        1, "quire-inventory", "t", 0, key, named(key), command.kind, "bad_data", "",
        parked.dump_headers(message(command, key).headers()), encode(command), 1,
        await timers.now(room.conn), None, None, None, None, None, None, None,
    )  # fmt: skip
    assert (await tried(room.conn, row, NO_LETTERS, {})).fails is None


async def test_grouped_by_cause_with_payload_and_error(room: Room, key: str):
    topic = f"{key}.commands"
    number = await room.park(key, room.topic.command(CancelOrder(key), f"{key}/cancel"))
    await room.conn.execute("update parked set topic = %s where key = %s", (topic, key))
    told = (await room.client.get("/ops/parked", params={"topic": topic})).json()
    assert {group["cause"]: group["messages"] for group in told["groups"]} == {
        "bad_data": 1,
        "behind": 1,
    }
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    assert shown["body"] == {"order_id": 7}
    assert (shown["attempts"], shown["headers"]["ce_type"]) == (1, PlaceOrder.kind)
    assert "order_id" in shown["error"]
    only = (await room.client.get("/ops/parked", params={"key": key, "code": "behind"})).json()
    assert [each["cause"] for each in only["messages"]] == ["behind"]


async def test_many_need_their_number_and_a_discard_a_reason(room: Room, key: str):
    behind = [room.topic.command(CancelOrder(key), f"{key}/{n}") for n in range(101)]
    number = await room.park(key)
    await room.owner.handle(behind)
    bare = await room.client.post("/ops/parked/discard", json={"key": key, "because": "x"})
    assert (bare.status_code, bare.json()["code"]) == (409, "not_confirmed")
    for because in ({}, {"because": ""}, {"because": "  "}):
        answer = await room.client.post("/ops/parked/discard", json={"ids": [number], **because})
        assert answer.status_code == 422
    assert (await room.client.post("/ops/parked/redrive", json={})).json()["code"] == (
        "nothing_chosen"
    )
    assert len(await room.rows(key)) == 102
    assert (await room.post("discard", key=key, because="x", confirm=102))["marked"] == 102
    assert await room.rows(key) == []


async def test_a_rate_spreads_the_wishes(room: Room, key: str):
    keys = [f"{key}-{n}" for n in range(7)]
    ids = [await room.park(each) for each in keys]
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        rows = [row for each in keys for row in await room.rows(each)]
        waited.append(sum(row.attempts > 1 for row in rows))
        assert seconds == 1

    chosen = Choice(ids)
    await moving.move(room.conn, room, chosen, "redrive", by="ada", rate=2, sleep=sleep)
    assert waited == [2, 4, 6]
    some = await moving.move(
        room.conn, room, chosen, "redrive", by="ada", rate=2, seconds=2, sleep=sleep
    )
    assert some == (6, ids[5])


async def test_whoever_looks_after_a_stack_hears_of_it(room: Room, key: str, postgres_dsn: str):
    before = sum(group.messages for group in await stack_parked.parked(postgres_dsn))
    await room.park(key, room.topic.command(CancelOrder(key), f"{key}/cancel"))
    found = await stack_parked.parked(postgres_dsn)
    assert sum(group.messages for group in found) == before + 2
    assert "bad_data" in stack_parked.told(found)
    assert await stack_parked.parked("postgresql://nobody@127.0.0.1:1/none") == []


async def test_a_page_of_somebody_else_cannot_move_messages(room: Room, key: str):
    """A browser sends a body without a type, or as text, wherever a page tells it to."""
    number = await room.park(key)
    body = f'{{"ids":[{number}],"because":"x"}}'.encode()
    for path in ("discard", "redrive", f"{number}/edit"):
        for kind in ({}, {"Content-Type": "text/plain"}):
            answer = await room.client.post(f"/ops/parked/{path}", content=body, headers=kind)
            assert (answer.status_code, answer.json()["code"]) == (415, "content_type_not_json")
    assert (await room.rows(key))[0].wish is None


async def test_any_rate_is_one(room: Room, key: str):
    number = await room.park(key)
    body = f'{{"ids":[{number}],"because":"x","rate":1e309}}'.encode()
    headers = {"Content-Type": "application/json"}
    answer = await room.client.post("/ops/parked/discard", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    chosen = Choice([number])
    moved = await moving.move(
        room.conn, room, chosen, "discard", by="ada", because="x", rate=float("inf")
    )
    assert moved.marked == 1
    assert await room.rows(key) == []


async def test_what_failed_again_stands_in_the_history(room: Room, key: str):
    number = await room.park(key)
    await room.post("redrive", ids=[number], by="ada")
    await room.post("redrive", ids=[number], by="bob")
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    assert shown["attempts"] == 3
    told = [
        (past["wished_by"], past["result"], past["failed_cause"], past["attempts"])
        for past in shown["history"]
    ]
    assert told == [("bob", "parked", "bad_data", 2), ("ada", "parked", "bad_data", 1)]
    assert all("order_id" in past["failed_error"] for past in shown["history"])
    everywhere = (await room.client.get("/ops/parked/history")).json()["messages"]
    assert [past["parked_id"] for past in everywhere][:2] == [number, number]
    await room.conn.execute(
        "update parked set body = %s where id = %s", (encode(place(key)), number)
    )
    await room.post("redrive", ids=[number], by="eve")
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    assert [past["result"] for past in shown["history"]] == ["applied", "parked", "parked"]


async def test_all_means_all_a_page_at_a_time(
    room: Room, key: str, monkeypatch: pytest.MonkeyPatch
):
    """Also when a request has only the time for some of them, and says where to go on."""
    monkeypatch.setattr(ops, "LONGEST_SECONDS", 0.5)
    ids = [await room.park(f"{key}-{n}") for n in range(5)]
    told: dict[str, Any] = {"next": 0}
    counts: list[tuple[int, int]] = []
    while told["next"] is not None:
        told = await room.post("redrive", ids=ids, after=told["next"], by="ada", rate=2)
        counts.append((told["marked"], told["left"]))
    assert counts == [(2, 3), (2, 1), (1, 0)]
    rows = await parked_choice.chosen(room.conn, Choice(ids), limit=9)
    assert [row.attempts for row in rows] == [2] * 5
    cancels = [room.topic.command(CancelOrder(row.key), f"{row.key}/cancel") for row in rows]
    await room.owner.handle(cancels)
    both = [one.id for row in rows for one in await room.rows(row.key)]
    for size in (1, 2, 3, 100):
        seen = await preview(room.conn, Choice(both), NO_LETTERS, at_once=size)
        assert (seen.failed, seen.waiting, seen.following) == (5, 5, 0)
        seen = await preview(room.conn, Choice(ids), NO_LETTERS, at_once=size)
        assert (seen.failed, seen.waiting, seen.following) == (5, 0, 5)
    some = await preview(room.conn, Choice(ids), NO_LETTERS, most=3)
    assert (some.failed, some.not_looked_at, some.told()["cannot_tell"]) == (3, 2, 2)
