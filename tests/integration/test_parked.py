"""Parked messages that a person mends: edited, redriven, discarded (PROTOCOL 12)."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from api import moving
from bus.message import TIMERS
from domain.decider import Decider
from domain.message import Line, Money
from domain.order.messages import CancelOrder, ExpireOrder
from store import outcomes, parked, timers
from store.codec import encode
from store.connect import AsyncConnection
from streams.agents import declare
from streams.context import Outside
from streams.engine import Engine
from tests.integration.hand import message, named, settings
from tests.integration.parked_world import Room, place
from tests.integration.relay_world import until, within


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
