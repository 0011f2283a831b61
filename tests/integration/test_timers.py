"""The timers process on real Kafka and Postgres (PROTOCOL 11, 14)."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from psycopg import sql

from bus.message import API, TIMERS, Message
from bus.publisher import PublishFailed
from domain.ids import derive
from store import idempotency, timers
from store.connect import AsyncConnection, connect
from store.parts import drop_old, make_ready, monday
from streams.announcing import Announcements, Outgoing
from streams.timers import AT_ONCE, announce
from streams.wishes import publish_lost_wishes
from telemetry.registry import of_this_process
from tests.integration.relay_world import Read, World, until

Topics = Callable[[str, int], Awaitable[str]]
N = 0.4


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, topics: Topics) -> AsyncGenerator[World]:
    made = await World.make(postgres_dsn, kafka, topics, sweep_after=N, partitions=2)
    async with made.conn:
        await made.conn.execute("delete from timer")
        await made.conn.execute("delete from idempotency")
        yield made


@asynccontextmanager
async def announcing(world: World) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(announce(world.settings, stop, world.routes))
    try:
        yield
    finally:
        stop.set()
        await task


async def arm(world: World, seconds: float = 0) -> UUID:
    """Arm a timer that is due so many seconds from now, by the database's clock."""
    order_id = str(uuid4())
    due_at = await timers.now(world.conn) + timedelta(seconds=seconds)
    command_id = derive(int(due_at.timestamp() * 1000), f"timer|{order_id}")
    await world.conn.execute(
        "insert into timer values (%s, 'quire.order.expire', %s, %s, 'quire.order.expire', %s,"
        " 'order', %s, %s, %s)",
        (f"order-{order_id}", command_id, due_at, order_id, order_id, uuid4(),
         f'{{"order_id":"{order_id}"}}'),
    )  # fmt: skip
    return command_id


async def wish(world: World, *, answered: bool) -> idempotency.Wish:
    """A wish as the API writes it down; what it says has been published is not there."""
    order_id, created = str(uuid4()), await timers.now(world.conn)
    message = Message(
        id=derive(int(created.timestamp() * 1000), f"api|test|{order_id}"),
        type="quire.order.cancel",
        source=API,
        time=created,
        key=order_id,
        subject=f"order-{order_id}",
        correlation=order_id,
        causation=None,
        data=f'{{"order_id":"{order_id}"}}'.encode(),
    )
    made = idempotency.Wish(
        "test", order_id, message.id, message.subject, b"", "open", world.routes.commands["order"],
        message.headers(), message.key, message.data, b"{}", created,
    )  # fmt: skip
    await idempotency.add(world.conn, made)
    if answered:
        await idempotency.write(world.conn, [], [("test", order_id)])
    return made


async def sent(world: World, id: UUID) -> list[Read]:
    return [read for read in await world.commands() if read.message.id == id]


async def arrives(world: World, id: UUID, times: int = 1) -> None:
    async def enough() -> bool:
        return len(await sent(world, id)) >= times

    await until(enough)


async def relay_stands_at_head(world: World) -> None:
    async with world.running():
        await world.relayed(await world.orders(0))


async def told(gauge: str) -> float:
    found = re.search(rf"^{gauge} (\S+)$", (await of_this_process().page()).decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_it_tells_how_late_a_timer_is_while_it_waits_for_the_relay(world: World):
    await world.orders(1)
    late = await arm(world, -100)

    async def heard() -> bool:
        return await told("quire_timers_late_seconds") >= 100

    async with announcing(world):
        await until(heard)
    assert await sent(world, late) == []


async def test_it_tells_how_old_a_wish_is_that_it_cannot_publish(world: World):
    class Away(Announcements):
        def __init__(self) -> None: ...

        async def announce(self, conn: AsyncConnection, wanted: Sequence[Outgoing]) -> int:
            raise PublishFailed(f"{len(wanted)} of them")

    await wish(world, answered=False)
    await world.conn.execute("update idempotency set created_at = created_at - interval '100 s'")
    await world.conn.execute("delete from checkpoint where name = 'wishes'")
    with pytest.raises(PublishFailed, match="1 of them"):
        await publish_lost_wishes(world.conn, Away(), N)
    assert await told("quire_wishes_oldest_seconds") >= 100


async def test_a_worker_that_stands_still_holds_no_other_timers_up(world: World):
    await relay_stands_at_head(world)
    await world.conn.execute(
        "insert into timer select 'shipment-' || n || '.1', 'poll', gen_random_uuid(), now(),"
        " 'quire.shipping.poll_carrier', n::text, 'shipping', n::text, gen_random_uuid(), '{}'"
        " from generate_series(1, %s) n",
        (AT_ONCE + 1,),
    )
    due = await arm(world)
    async with announcing(world):
        await arrives(world, due)


async def test_announces_what_is_due_once_while_its_worker_lags(world: World):
    await relay_stands_at_head(world)
    due, later = await arm(world), await arm(world, 3600)
    async with announcing(world):
        await arrives(world, due)
        await asyncio.sleep(6 * N)
        [read] = await sent(world, due)
        assert await sent(world, later) == []
    assert read.message.source == TIMERS
    assert read.message.type == "quire.order.expire"
    assert read.message.prev is None
    assert read.message.subject == f"order-{read.message.key}"


async def test_announces_again_what_got_lost(world: World):
    await relay_stands_at_head(world)
    due = await arm(world)
    async with announcing(world):
        await arrives(world, due)
        await world.work(skip=[due])
        await arrives(world, due, times=2)
        await world.work()
        count = len(await sent(world, due))
        await asyncio.sleep(6 * N)
        assert len(await sent(world, due)) == count


async def test_waits_until_the_relay_has_passed_what_was_recorded_before(world: World):
    head = await world.orders(1)
    due = await arm(world)
    async with announcing(world):
        await asyncio.sleep(4 * N)
        assert await sent(world, due) == []
        async with world.running():
            await arrives(world, due)
    assert await world.position() >= head
    place = (await sent(world, due))[0].place
    records = [read for read in await world.commands() if read.place == place]
    assert records[-1].message.id == due, "it stands behind all that the relay sent before"


async def test_a_wish_that_was_never_acknowledged_is_published(world: World):
    made = await wish(world, answered=False)
    async with announcing(world):
        await arrives(world, made.command_id)
    read = (await sent(world, made.command_id))[0]
    assert (read.key.decode(), read.value) == (made.record_key, made.body)
    assert read.message.source == API


async def test_an_acknowledged_wish_is_published_again_only_when_lost(world: World):
    """Its record is not there, but only once all before it was read can anybody know."""
    before = await wish(world, answered=False)
    async with announcing(world):
        await arrives(world, before.command_id)
        made = await wish(world, answered=True)
        same = await wish(world, answered=True)
        await world.conn.execute(
            "insert into outcome (command_id, result) values (%s, 'refused')", (same.command_id,)
        )
        await asyncio.sleep(6 * N)
        first_look = await sent(world, made.command_id)
        await world.work()
        await arrives(world, made.command_id)
        assert await sent(world, same.command_id) == []
    lagging = (await sent(world, before.command_id))[0].place
    if (await sent(world, made.command_id))[0].place == lagging:
        assert first_look == []


async def test_parts_of_outcome_take_over_what_the_default_part_holds(world: World):
    today = datetime.now(UTC).date()
    ids = [
        derive(_milliseconds(monday(today) + n * timedelta(days=7)), f"part|{n}") for n in range(8)
    ]
    await world.conn.execute("delete from outcome")
    await _put(world, ids, "applied")
    added = await make_ready(world.conn, today)
    again = await make_ready(world.conn, today)
    assert again == []
    assert await _count(world, "outcome") == 8
    assert await _count(world, "outcome_default") == 2  # the sixth week from now and the one after
    if added:  # the timers process of another test may have been first
        assert added == [monday(today) + n * timedelta(days=7) for n in range(6)]
    for n in range(6):
        assert await _count(world, _name(monday(today) + n * timedelta(days=7))) == 1


async def test_old_parts_go_when_nobody_can_ask_for_them(world: World, owner_dsn: str):
    old = monday(datetime.now(UTC).date()) - timedelta(weeks=8)
    held = old + timedelta(weeks=1)
    async with await connect(owner_dsn, name="owner") as owner:
        for week in (old, held):
            await owner.execute("select add_outcome_part(%s)", (week,))
    await _put(world, [derive(_milliseconds(old), "a")], "applied")
    await _put(world, [derive(_milliseconds(held), "b")], "parked")
    await _stand(world, "sweeper", 0)
    await _stand(world, "wishes", 0)
    assert await drop_old(world.conn) == []  # a wish of that time may still want it
    await _stand(world, "wishes", _milliseconds(monday(datetime.now(UTC).date())))
    await world.orders(1)  # facts of March, not done yet
    assert await drop_old(world.conn) == []
    await _stand(world, "sweeper", await world.orders(0))
    assert await drop_old(world.conn) == [old]  # the other holds a parked row
    assert await drop_old(world.conn) == []
    await world.conn.execute("update outcome set result = 'discarded' where result = 'parked'")
    assert await drop_old(world.conn) == [held]


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _name(week: date) -> str:
    return f"outcome_{week:%Y%m%d}"


async def _put(world: World, ids: list[UUID], result: str) -> None:
    await world.conn.execute(
        "insert into outcome (command_id, result) select id, %s from unnest(%s::uuid[]) as id",
        (result, ids),
    )


async def _count(world: World, table: str) -> int:
    statement = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    row = await (await world.conn.execute(statement)).fetchone()
    return row[0] if row else 0


async def _stand(world: World, name: str, position: int) -> None:
    await world.conn.execute(
        "insert into checkpoint (name, position) values (%s, %s)"
        " on conflict (name) do update set position = excluded.position",
        (name, position),
    )
