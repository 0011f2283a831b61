"""Parked messages that a person mends: seen by cause, edited, redriven, discarded (PROTOCOL 12)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from api import moving, ops
from api.app import create_app
from api.letters import Letters
from api.rehearsal import preview, tried
from api.settings import Settings
from bus.message import RELAY, TIMERS, Message
from domain.decider import Decider
from domain.inventory.messages import ReserveStock
from domain.message import Line, Money, SkuQuantity
from domain.order.messages import CancelOrder, ExpireOrder, PlaceOrder, RecordStockReserved
from stack import parked as stack_parked
from store import outcomes, parked, parked_choice, timers
from store.codec import encode
from store.connect import AsyncConnection, connect
from store.log import read_streams
from store.parked_choice import Choice
from streams.agents import declare
from streams.context import Outside
from streams.engine import Engine
from tests.integration.hand import Record, Topic, message, named, settings
from tests.integration.relay_world import until, within

NO_LETTERS = Letters(None, None)


def place(order_id: str) -> PlaceOrder:
    return PlaceOrder(order_id, (Line(1, "mug", 1, Money(500, "GBP")),), "GBP", "tok_approve")


class Room:
    """The owner of the orders, and the API whose nudges go straight to it."""

    def __init__(self, conn: AsyncConnection, owner: Engine, client: httpx.AsyncClient) -> None:
        self.conn, self.owner, self.client = conn, owner, client
        self.topic = Topic()
        self.turn = asyncio.Lock()

    async def publish(self, topic: str, message: Message) -> None:
        assert topic == self.owner.context.topic
        async with self.turn:
            await self.owner.handle([self.topic.send(message)])

    async def park(self, key: str, *behind: Record) -> int:
        """Park a message of this key that nobody can decode, and others behind it."""
        await self.owner.handle([self.topic.raw(key.encode(), b'{"order_id":7}', self.head(key))])
        for each in behind:
            await self.owner.handle([each])
        return (await self.rows(key))[0].id

    def head(self, key: str, **changes: Any) -> list[tuple[str, bytes]]:
        return replace(message(place(key), f"{key}/place"), **changes).headers()

    async def rows(self, key: str) -> list[parked.Parked]:
        return await parked_choice.chosen(self.conn, Choice(key=key), limit=1000)

    async def result(self, origin: str | UUID) -> str | None:
        id = named(origin) if isinstance(origin, str) else origin
        found = await outcomes.find(self.conn, [id])
        return found[id].result if found else None

    async def types(self, stream: str) -> list[str]:
        return [fact.type for fact in (await read_streams(self.conn, [stream])).get(stream, [])]

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"/ops/parked/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def room(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    chosen = settings(postgres_dsn, tmp_path)
    owner = Engine(declare("order", chosen), chosen)
    await owner.own({0: None})
    asked = Settings.model_validate(
        {"postgres_dsn": postgres_dsn, "kafka": "127.0.0.1:1", "state_dir": tmp_path}
    )
    async with await connect(postgres_dsn, name="test") as conn:
        made = Room(conn, owner, httpx.AsyncClient())
        app = create_app(asked, made)
        async with app.state.service.opened():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                made.client = client
                yield made
    await owner.close()


@pytest.fixture
def key() -> str:
    return f"o-{uuid4().hex[:8]}"


async def test_an_edited_message_takes_the_place_of_the_first(room: Room, key: str):
    cancel = room.topic.command(CancelOrder(key), f"{key}/cancel")
    number = await room.park(key, cancel)

    body = msgspec.to_builtins(place(key))
    told = await room.post(f"{number}/edit", body=body, by="ada", because="no id")

    assert await room.rows(key) == []
    assert await room.result(f"{key}/place") == "discarded"
    assert await room.result(UUID(told["edited"])) == "applied"
    assert await room.result(f"{key}/cancel") == "applied"
    assert (await room.types(f"order-{key}"))[:1] == ["quire.order.placed.v1"]
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    [past] = shown["history"]
    assert past["body"] == {"order_id": 7}
    assert (past["wish"], past["wished_by"], past["wished_because"]) == ("edit", "ada", "no id")
    assert (past["result"], past["edit_result"]) == ("discarded", "applied")
    [first] = (await outcomes.find(room.conn, [named(f"{key}/place")])).values()
    assert told["edited"] in (first.detail or "")


async def test_an_edited_message_that_fails_too_keeps_the_place(room: Room, key: str):
    """As a worker finds it whose code is older than the API's: nobody overtakes it."""
    number = await room.park(key, room.topic.command(CancelOrder(key), f"{key}/cancel"))
    body = msgspec.to_builtins(place(key))
    row = (await room.rows(key))[0]
    edited = moving.edited(row, place(key), await timers.now(room.conn))
    await room.conn.execute(
        "update parked set wish = 'edit', wished_by = 'ada', wished_because = '',"
        " wished_at = now(), edit_id = %s, edit_headers = %s::json, edit_body = '{' where id = %s",
        (edited.id, parked.dump_headers(edited.headers()), number),
    )
    await room.publish(row.topic, replace(message(CancelOrder(key), "n"), type=parked.NUDGE))

    first, behind = await room.rows(key)
    assert (first.id, first.command_id, first.cause) == (number, edited.id, "bad_data")
    assert (first.wish, behind.cause) == (None, parked.BEHIND)
    assert await room.result(f"{key}/place") == "discarded"
    assert await room.result(edited.id) == "parked"

    told = await room.post(f"{number}/edit", body=body, because="again")
    assert await room.result(edited.id) == "discarded"
    assert await room.result(UUID(told["edited"])) == "applied"
    assert await room.result(f"{key}/cancel") == "applied"
    pasts = (await room.client.get(f"/ops/parked/{number}")).json()["history"]
    assert [past["body"] for past in pasts] == ["{", {"order_id": 7}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_id": "somebody-else"}, "wrong_key"),
        ({"lines": "none"}, "bad_data"),
        ({"contact": "Ada, 12 St James's Square"}, "contact_not_editable"),
    ],
)
async def test_what_could_not_be_decided_either_is_not_handed_in(
    room: Room, key: str, change: dict[str, Any], code: str
):
    number = await room.park(key)
    body = {**msgspec.to_builtins(place(key)), **change}
    answer = await room.client.post(
        f"/ops/parked/{number}/edit", json={"body": body, "because": "x"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await room.rows(key))[0].wish is None


async def test_an_edit_of_a_timer_ends_the_timer(room: Room, key: str):
    timer, expire = named(f"{key}/timer"), ExpireOrder(key)
    await room.conn.execute(
        "insert into timer values (%s, %s, %s, now(), %s, %s, 'order', %s, %s, '{}')",
        (expire.stream, expire.kind, timer, expire.kind, key, key, timer),
    )
    sent = replace(message(expire, "timer", source=TIMERS), id=timer, data=b"{}")
    await room.owner.handle([room.topic.command(place(key), f"{key}/place")])
    await room.owner.handle([room.topic.send(sent)])
    [row] = await room.rows(key)

    told = await room.post(f"{row.id}/edit", body={"order_id": key}, because="no id")

    assert await room.result(UUID(told["edited"])) in {"applied", "refused", "noop"}
    assert await room.result(timer) == "discarded"
    assert await timers.armed(room.conn, [expire.stream]) == {}


async def test_a_discarded_timer_that_nobody_can_decode_is_not_armed_any_more(room: Room, key: str):
    timer, expire = named(f"{key}/timer"), ExpireOrder(key)
    await room.conn.execute(
        "insert into timer values (%s, %s, %s, now(), %s, %s, 'order', %s, %s, '{}')",
        (expire.stream, expire.kind, timer, expire.kind, key, key, timer),
    )
    sent = replace(message(expire, "timer", source=TIMERS), id=timer, data=b"{}")
    await room.owner.handle([room.topic.send(sent)])
    [row] = await room.rows(key)

    await room.post("discard", ids=[row.id], by="ada", because="of no use")

    assert await room.result(timer) == "discarded"
    assert await timers.armed(room.conn, [expire.stream]) == {}


async def test_a_redriven_message_that_breaks_its_batch_is_parked_again(
    room: Room, key: str, postgres_dsn: str, tmp_path: Path
):
    """What fails only when it is written down must not hold the partition up."""
    number = await room.park(key)
    body = encode(place(key))
    await room.conn.execute("update parked set body = %s where id = %s", (body, number))
    context = declare("order", settings(postgres_dsn, tmp_path))
    decider = context.decider

    def strange(_: object, state: Any) -> Any:
        return decider.decide(place("another"), state)

    broken = Engine(
        dataclasses.replace(context, decider=Decider(decider.initial, strange, decider.evolve)),
        settings(postgres_dsn, tmp_path),
    )
    await broken.own({0: None})
    room.owner = broken

    async with within(20):
        await room.post("redrive", ids=[number])

    [again] = await room.rows(key)
    assert (again.attempts, again.wish, again.cause) == (2, None, "cannot_record")
    await broken.close()


async def test_a_message_that_was_handled_changes_nothing_when_redriven(room: Room, key: str):
    number = await room.park(key)
    await room.conn.execute(
        "update parked set body = %s where id = %s", (encode(place(key)), number)
    )
    first = await room.post("redrive", ids=[number], by="ada")
    facts = await room.types(f"order-{key}")
    again = await room.post("redrive", ids=[number], by="bob")
    late = await parked.wish(
        room.conn, [number], "redrive", by="bob", because="", at=await timers.now(room.conn)
    )

    assert (first["marked"], again["marked"], late) == (1, 0, [])
    assert await room.types(f"order-{key}") == facts == ["quire.order.placed.v1"]
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    assert [past["wished_by"] for past in shown["history"]] == ["ada"]


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


class Held:
    """The world outside, which answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self.broken = False

    async def perform(self, request: object) -> object:
        self.asked.set()
        await self.answer.wait()
        if self.broken:
            self.broken = False
            raise RuntimeError("nobody there")
        return request


@pytest.mark.parametrize("broken", [False, True])
async def test_an_edit_that_comes_during_a_redrive_is_never_dropped(
    room: Room, key: str, postgres_dsn: str, tmp_path: Path, *, broken: bool
):
    """Too late, it is refused; after a redrive that failed, it is tried next."""
    number = await room.park(key)
    await room.conn.execute(
        "update parked set body = %s where id = %s", (encode(place(key)), number)
    )
    held = Held()
    held.broken = broken
    outside = Outside(lambda command, _, __: command, held.perform, lambda _, __, told, ___: told)
    chosen = settings(postgres_dsn, tmp_path)
    room.owner = Engine(dataclasses.replace(declare("order", chosen), outside=outside), chosen)
    await room.owner.own({0: None})
    lines = (Line(1, "mug", 2, Money(500, "GBP")),)
    body = msgspec.to_builtins(msgspec.structs.replace(place(key), lines=lines))

    redriving = asyncio.create_task(room.post("redrive", ids=[number], by="ada"))
    await held.asked.wait()
    path = f"/ops/parked/{number}/edit"
    editing = asyncio.create_task(
        room.client.post(path, json={"body": body, "by": "bob", "because": "two"})
    )
    await until(lambda: waits_for_lock(room.conn))
    held.answer.set()
    await redriving
    answer = await editing

    assert await room.rows(key) == []
    if broken:
        assert answer.status_code == 200, answer.text
        assert await room.result(f"{key}/place") == "discarded"
        assert await room.result(UUID(answer.json()["edited"])) == "applied"
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "not_parked")
        assert await room.result(f"{key}/place") == "applied"
    shown = (await room.client.get(f"/ops/parked/{number}")).json()
    past = [(each["wish"], each["wished_by"], each["result"]) for each in shown["history"]]
    first = ("redrive", "ada", "parked" if broken else "applied")
    assert past == ([("edit", "bob", "discarded")] if broken else []) + [first]
    await room.owner.close()


async def waits_for_lock(conn: AsyncConnection) -> bool:
    cursor = await conn.execute(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        " and query like 'update parked%%' and datname = current_database()"
    )
    return await cursor.fetchone() != (0,)


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
