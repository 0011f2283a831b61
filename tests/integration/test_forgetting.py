"""Old wishes are forgotten, and never done twice for it, on a real Postgres (PROTOCOL 11, 14)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from api.intake.mappers import GOODS_RECEIPT
from domain.catalog import TOPICS
from store import forgetting, idempotency, timers, unparking
from store.connect import AsyncConnection, connect
from store.idempotency import Wish
from streams.forgetting import forget_what_is_old
from tests.integration.intake_world import serving
from tests.integration.relay_world import until

WEEK = timedelta(days=7)


class Room:
    """The table of wishes, some of them old."""

    def __init__(self, conn: AsyncConnection, now: datetime) -> None:
        self.conn = conn
        self.now = now

    async def wish(self, days: float, outcome: str = "", state: str = "answered") -> str:
        """A wish of so many days ago; gives its key."""
        key = uuid4().hex
        made = Wish(
            "test", key, uuid4(), f"order-{key}", b"", state, "topic", [], key, b"{}",
            b'{"said":1}', self.now,
        )  # fmt: skip
        await idempotency.add(self.conn, made)
        await self.conn.execute(
            "update idempotency set created_at = %s where key = %s",
            (self.now - timedelta(days=days), key),
        )
        if outcome:
            await self.conn.execute(
                "insert into outcome (command_id, result) values (%s, %s)",
                (made.command_id, outcome),
            )
        return key

    async def moved(self, days: float, key: str) -> None:
        """A parked message that somebody redrove so many days ago."""
        await self.conn.execute(
            "insert into unparked (parked_id, processor, topic, partition, key, command_id, kind,"
            " cause, error, headers, attempts, parked_at, wish, wished_by, wished_because,"
            " wished_at, ended_at) values (1, 'p', 't', 0, %s, gen_random_uuid(), 'k', 'c', 'e',"
            " '[]', 1, now(), 'redrive', 'ada', '', now(), %s)",
            (key, self.now - timedelta(days=days)),
        )

    async def keys_moved(self) -> list[str]:
        return [row.key for row in await unparking.history(self.conn)]

    async def wishes_done(self, days: float) -> None:
        """Every wish up to so many days ago has had its outcome."""
        position = int((self.now - timedelta(days=days)).timestamp() * 1000)
        await self.conn.execute(
            "insert into checkpoint (name, position) values ('wishes', %s)"
            " on conflict (name) do update set position = excluded.position",
            (position,),
        )

    async def states(self, *keys: str) -> list[str]:
        """Of each: gone, short (without its answer) or its state."""
        found = await idempotency.find_all(self.conn, [("test", key) for key in keys])
        wishes = [found.get(("test", key)) for key in keys]
        return ["gone" if not each else each.state if each.answer else "short" for each in wishes]


@pytest.fixture
async def room(postgres_dsn: str) -> AsyncIterator[Room]:
    async with await connect(postgres_dsn, name="test", index_only=True) as conn:
        await conn.execute("delete from idempotency")
        await conn.execute("delete from unparked")
        yield Room(conn, await timers.now(conn))


async def test_answers_go_after_their_days_and_rows_with_their_outcomes(
    room: Room, postgres_dsn: str
):
    await room.wishes_done(0)
    keys = [
        await room.wish(6, "applied"),
        await room.wish(8, "applied"),
        await room.wish(8, "refused", state="open"),
        await room.wish(40, "parked"),
        await room.wish(29),
        await room.wish(40),
    ]
    await room.moved(8, "old")
    await room.moved(6, "young")
    forgetting_them = asyncio.create_task(forget_what_is_old(postgres_dsn, WEEK, WEEK))

    async def done() -> bool:
        return (await room.states(keys[-1])) == ["gone"] and len(await room.keys_moved()) == 1

    await until(done)
    forgetting_them.cancel()
    with suppress(asyncio.CancelledError):
        await forgetting_them
    assert await room.states(*keys) == ["answered", "short", "short", "short", "answered", "gone"]
    assert await room.keys_moved() == ["young"]
    [marked] = (await idempotency.find_all(room.conn, [("test", keys[2])])).values()
    assert marked.state == "answered", "nobody publishes it again when its outcome is gone"


async def test_nothing_goes_that_may_still_be_without_its_first_outcome(room: Room):
    await room.wishes_done(50)
    keys = [await room.wish(60), await room.wish(40), await room.wish(40, "applied")]
    before = await forgetting.older_than(room.conn, forgetting.KEPT)
    assert before < room.now - timedelta(days=49)
    since = room.now - timedelta(days=100)
    assert await forgetting.drop_answers(room.conn, since, before) == 0
    assert await forgetting.drop_rows(room.conn, since, before) == 1
    assert await room.states(*keys) == ["gone", "answered", "answered"]


async def test_a_page_holds_no_more_than_it_should(room: Room):
    for days in range(40, 45):
        await room.wish(days)
    ends = [room.now - timedelta(days=100)]
    while ends[-1] < room.now:
        ends.append(await forgetting.page_end(room.conn, ends[-1], room.now, 2))
    assert [room.now - end for end in ends[1:]] == [
        timedelta(days=43),
        timedelta(days=41),
        timedelta(0),
    ]


async def test_receipts_that_are_kept_are_not_walked_over(room: Room):
    """However many they are, the hourly look reads only what may go."""
    for days in (40, 41):
        await room.wish(days)
    await room.conn.execute(
        "insert into idempotency (caller, key, command_id, subject, request_hash, state, topic,"
        " headers, record_key, body, created_at) select 'event:supplier', n::text,"
        " gen_random_uuid(), 's' || n, '', 'answered', %s, '[]', 'sku', '', %s - n * interval '1 s'"
        " from generate_series(1, 2000) n",
        (TOPICS["inventory"], room.now - timedelta(days=45)),
    )
    begin, before = room.now - timedelta(days=100), room.now - timedelta(days=30)
    read = await rows_read(room.conn)
    assert await forgetting.page_end(room.conn, begin, before, 3, receipts=False) == before
    assert await forgetting.drop_rows(room.conn, begin, before) == 2
    assert await rows_read(room.conn) - read < 20
    assert await forgetting.page_end(room.conn, begin, before, 2000) < before, "they are there"


async def rows_read(conn: AsyncConnection) -> int:
    """How many entries were read of any index of the wishes, and of the table without one."""
    await conn.execute("select pg_stat_force_next_flush()")
    cursor = await conn.execute(
        "select sum(idx_tup_read)::bigint + (select seq_tup_read from pg_stat_user_tables"
        " where relname = 'idempotency') from pg_stat_user_indexes where relname = 'idempotency'"
    )
    [count] = await cursor.fetchone() or [0]
    return count


@pytest.mark.parametrize("state", ["answered", "open"])
async def test_a_receipt_that_comes_again_after_its_outcome_is_gone_is_not_received_again(
    room: Room, postgres_dsn: str, tmp_path: Path, state: str
):
    lines = [{"sku": "mug", "quantity": 1}, {"sku": "ink", "quantity": 2}]
    receipt = {"lines": lines, "uncatalogued": True}
    long_ago = room.now - timedelta(days=100)
    async with serving(postgres_dsn, tmp_path) as intake:
        assert (await intake.binary(GOODS_RECEIPT, f"file {state}", receipt)).status_code == 202
        await room.wishes_done(0)
        await room.conn.execute(  # its outcomes were there, and are gone
            "update idempotency set created_at = %s, state = %s",
            (room.now - timedelta(days=40), state),
        )
        other = await room.wish(40)
        assert await forgetting.close_receipts(room.conn, long_ago, room.now) == len(lines)
        assert await forgetting.drop_rows(room.conn, long_ago, room.now) == 1
        assert await room.states(other) == ["gone"]
        assert (await intake.binary(GOODS_RECEIPT, f"file {state}", receipt)).status_code == 202
        assert len(intake.kept.messages) == 2
    assert await idempotency.without_outcome(room.conn, long_ago, room.now, 10) == []
