"""An owner that freezes while a redriven message asks outside holds up nobody but that key."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from domain.order.messages import CancelOrder
from gateways.clock import this_host
from store import parked
from store.codec import encode
from streams.agents import declare
from streams.context import Outside
from streams.engine import Engine
from tests.integration.hand import message, settings
from tests.integration.parked_world import open_room, place
from tests.integration.relay_world import until


async def test_the_next_owner_works_while_the_one_before_is_frozen(
    postgres_dsn: str, tmp_path: Path
):
    chosen = settings(postgres_dsn, tmp_path)
    asked, thaws = asyncio.Event(), asyncio.Event()

    async def perform(request: Any) -> Any:
        asked.set()
        await thaws.wait()
        return request

    outside = Outside(lambda command, _, __: command, perform, lambda _, __, told, ___: told)
    async with open_room(postgres_dsn, tmp_path) as room:
        key, other = (f"o-{uuid4().hex[:8]}" for _ in range(2))
        number = await room.park(key)
        sound = "update parked set body = %s where id = %s"
        await room.conn.execute(sound, (encode(place(key)), number))
        await parked.wish(room.conn, [number], "redrive", by="a", because="", at=this_host())
        frozen = Engine(dataclasses.replace(declare("order", chosen), outside=outside), chosen)
        await frozen.own({0: None})
        nudge = room.topic.send(replace(message(CancelOrder(key), "n"), type=parked.NUDGE))
        old = asyncio.create_task(frozen.handle([nudge]))
        await asked.wait()

        async def waits() -> bool:
            cursor = await room.conn.execute(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and datname = current_database()"
            )
            return await cursor.fetchone() != (0,)

        heir = Engine(declare("order", chosen), chosen)
        async with asyncio.timeout(20):
            await heir.own({0: None})
            await until(waits)
            await heir.handle([room.topic.command(place(other), f"{other}/place")])
            await heir.own({0: None})
        assert await room.result(f"{other}/place") == "applied"
        assert len(await room.rows(key)) == 1

        frozen.disown([0])
        thaws.set()
        async with asyncio.timeout(20):
            await old
            await heir.handle([room.topic.send(nudge_of(key))])
        assert await room.rows(key) == []
        assert await room.result(f"{key}/place") == "applied"
        await frozen.close()
        await heir.close()


def nudge_of(key: str) -> Any:
    return replace(message(CancelOrder(key), "again"), type=parked.NUDGE)
