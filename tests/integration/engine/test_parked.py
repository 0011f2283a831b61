"""One message that cannot be decided, and those behind it."""

import asyncio
from pathlib import Path

import psycopg

from domain.order.messages import CancelOrder, ExpireOrder
from store import outcomes, parked, timers
from tests.integration.engine.world import engine, place, result, unique
from tests.integration.hand import Topic, named
from tests.integration.relay_world import within


async def test_one_poisoned_message_holds_back_its_own_key_only(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad, others = unique("bad"), [unique("o") for _ in range(20)]
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    poison = topic.raw(bad.encode(), b'{"order_id": 7}', topic.command(place(bad), bad).headers)
    behind = [topic.command(place(bad), f"{bad}/{n}") for n in range(3)]
    fine = [topic.command(place(order), f"{order}/place") for order in others]

    await owner.handle([poison, *behind, *fine])
    await owner.handle([topic.command(place(bad), f"{bad}/0")])  # a repeat adds no row

    rows = [row for row in await parked.listing(db, processor="quire-order") if row.key == bad]
    assert [row.cause for row in rows] == ["bad_data", "behind", "behind", "behind"]
    assert [await result(db, f"{order}/place") for order in others] == ["applied"] * 20
    await owner.close()


async def test_what_is_discarded_lets_those_behind_go_on(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad = unique("bad")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    await owner.handle([topic.raw(bad.encode(), b"{", headers)])
    await owner.handle([topic.command(place(bad), f"{bad}/place")])
    (head, _) = [row for row in await parked.listing(db) if row.key == bad]
    now = head.parked_at

    await parked.wish(db, [head.id], "redrive", by="me", because="", at=now)
    nudge = topic.raw(bad.encode(), b"{}", _nudge(topic, bad))
    await owner.handle([nudge])
    assert [row.attempts for row in await parked.listing(db) if row.key == bad] == [2, 1]

    await parked.wish(db, [head.id], "discard", by="me", because="broken", at=now)
    await owner.handle([topic.raw(bad.encode(), b"{}", _nudge(topic, bad))])

    assert [row for row in await parked.listing(db) if row.key == bad] == []
    assert await result(db, bad) == "discarded"
    assert await result(db, f"{bad}/place") == "applied"
    await owner.handle([topic.command(CancelOrder(bad), f"{bad}/cancel")])
    assert await result(db, f"{bad}/cancel") == "applied"
    await owner.close()


async def test_a_discarded_timer_is_not_armed_any_more(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    bad = unique("bad")
    owner, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    timer, expire = named(f"{bad}/timer"), ExpireOrder(bad)
    await db.execute(
        "insert into timer values (%s, %s, %s, now(), %s, %s, 'order', %s, %s, '{}')",
        (expire.stream, expire.kind, timer, expire.kind, bad, bad, timer),
    )
    await owner.handle([topic.raw(bad.encode(), b"{", headers), topic.timer(expire, timer)])
    rows = [row for row in await parked.listing(db) if row.key == bad]
    assert [row.cause for row in rows] == ["bad_data", "behind"]

    ids, now = [row.id for row in rows], rows[0].parked_at
    await parked.wish(db, ids, "discard", by="me", because="broken", at=now)
    await owner.handle([topic.raw(bad.encode(), b"{}", _nudge(topic, bad))])

    assert (await outcomes.find(db, [timer]))[timer].result == "discarded"
    assert await timers.armed(db, [expire.stream]) == {}
    await owner.close()


def _nudge(topic: Topic, key: str) -> list[tuple[str, bytes]]:
    headers = dict(topic.command(place(key), unique("nudge")).headers)
    headers["ce_type"] = parked.NUDGE.encode()
    return list(headers.items())


async def test_a_wish_is_found_by_the_next_owner(
    db: psycopg.AsyncConnection, postgres_dsn: str, tmp_path: Path
):
    """The nudge was lost with the owner (PROTOCOL 12)."""
    bad = unique("bad")
    first, topic = await engine("order", postgres_dsn, tmp_path), Topic()
    headers = topic.command(place(bad), bad).headers
    await first.handle([topic.raw(bad.encode(), b"{", headers)])
    await first.handle([topic.command(place(bad), f"{bad}/place")])
    (head, _) = [row for row in await parked.listing(db) if row.key == bad]
    await parked.wish(db, [head.id], "discard", by="me", because="", at=head.parked_at)
    await first.close()

    second = await engine("order", postgres_dsn, tmp_path)

    async with within(30):
        while await result(db, f"{bad}/place") != "applied":
            await asyncio.sleep(0.02)
    await second.close()
