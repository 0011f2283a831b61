"""Parked messages while their owner is killed (PROTOCOL 12)."""

from datetime import UTC, datetime

from bus.message import Message
from domain.order.messages import CancelOrder, RecordStockReserved
from store import parked
from store.codec import encode
from store.connect import connect
from tests.faults.world import World, message, place
from tests.integration.relay_world import until

STEPS = ("parked", "outcome", "fence", "event")


def nudge(key: str, number: int) -> Message:
    return message(CancelOrder(key), f"{key}/nudge/{number}", type=parked.NUDGE)


class Nudges:
    """Sends them where the command line does; a nudge has no route of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0

    async def send(self, key: str) -> None:
        self._count += 1
        await self._world.send_to("order", [nudge(key, self._count)])


async def test_killed_at_each_step_of_a_redrive(world: World):
    """23: kill -9 while the owner waits for each table in turn, a message of the key meanwhile: in
    order, once, nothing stuck."""
    key, nudges = "o-1", Nudges(world)
    poison = message(place(key), f"{key}/place", data=b'{"order_id":')
    behind = [message(RecordStockReserved(key), f"{key}/reserved")]
    async with await connect(world.admin_dsn, name="admin") as admin:
        [worker] = await world.run("worker order")
        await world.send([poison, *behind])
        await world.settled([poison, *behind])
        # As if the mistake were mended: the same message can be decided now.
        body = encode(place(key))
        await world.conn.execute("update parked set body = %s where cause = 'bad_data'", (body,))
        for number, table in enumerate(STEPS):
            [head, *_] = await parked.listing(world.conn)
            now = datetime.now(UTC)
            await parked.wish(world.conn, [head.id], "redrive", by="me", because="", at=now)
            async with admin.transaction():
                await admin.execute(f"lock table {table} in share row exclusive mode".encode())
                await nudges.send(key)
                await until(lambda: world.waits_for_lock("quire-order"))
                await worker.kill()
                # What was sent with COMMIT may land after its sender's death, or never.
                await admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where"
                    " application_name = 'quire-order' and datname = current_database()"
                )
                await until(lambda: _nobody(world))
            later = message(CancelOrder(f"{key}"), f"{key}/cancel/{number}")
            await world.send([later])
            behind.append(later)
            if number < len(STEPS) - 1:
                assert len(await parked.listing(world.conn)) >= 2
                # Nobody owns the key meanwhile: the wish is taken back until the next step.
                await world.conn.execute("update parked set wish = null")
                [worker] = await world.run("worker order")
                await world.settled([later])
    await world.run("worker order")
    await until(lambda: _none_parked(world))
    results = await world.settled([poison, *behind])
    assert set(results.values()) <= {"applied", "noop"}
    assert results[poison.id] == "applied"
    assert results[behind[0].id] == "applied"
    types = [fact.type for fact in await world.facts()]
    assert types[:2] == ["quire.order.placed.v1", "quire.order.payment_requested.v1"]
    assert types.count("quire.order.cancellation_requested.v1") == 1
    world.check()


async def _nobody(world: World) -> bool:
    return not await world.count(
        "select count(*) from pg_stat_activity where application_name = 'quire-order'"
        " and datname = current_database()"
    )


async def _none_parked(world: World) -> bool:
    return not await world.count("select count(*) from parked")


async def test_a_discard_races_with_new_messages_of_the_key(world: World):
    """23: the first is discarded while more of its key arrive: each is decided, in order."""
    await world.run("worker order")
    nudges = Nudges(world)
    keys = [f"o-{n}" for n in range(12)]
    poison = [message(place(key), f"{key}/bad", data=b"{") for key in keys]
    await world.send(poison)
    await world.settled(poison)
    sent: list[Message] = []
    for number, key in enumerate(keys):
        placing = [message(place(key), f"{key}/place"), message(CancelOrder(key), f"{key}/cancel")]
        [row] = [row for row in await parked.listing(world.conn, limit=10_000)
                 if row.key == key and row.cause == "bad_data"]  # fmt: skip
        if number % 2:
            await world.send(placing)
        await parked.wish(
            world.conn, [row.id], "discard", by="me", because="", at=datetime.now(UTC)
        )
        await nudges.send(key)
        if not number % 2:
            await world.send(placing)
        sent += placing
    await until(lambda: _none_parked(world))
    assert set((await world.settled(sent)).values()) == {"applied"}
    assert set((await world.outcomes(poison)).values()) == {"discarded"}
    world.check()
