"""Owners that freeze, lose partitions, come and go (PROTOCOL 1, 6)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bus.topics import group_offsets
from domain.message import Command
from domain.order.messages import CancelOrder, HoldOrder, RecordStockReserved
from store import outcomes
from store.connect import connect
from store.log import read_streams
from streams.agents import declare
from streams.engine import Engine
from tests.faults.world import World, message, orders, place
from tests.integration.hand import Topic, named
from tests.integration.relay_world import until


async def test_a_frozen_owner_wakes_up_to_nothing(world: World):
    """1: SIGSTOP in the middle of a batch, another takes over, SIGCONT: the zombie's batch is
    refused, each message is applied once."""
    sent = orders(300)
    async with await connect(world.admin_dsn, name="admin") as admin:
        [zombie] = await world.run("worker order")
        async with admin.transaction():
            await admin.execute("lock table outcome in access exclusive mode")
            await world.send(sent)
            await until(lambda: world.waits_for_lock("quire-order"))
            zombie.freeze()
        # Its question is answered, and it has not seen the answer: it decides when it wakes up.
        await world.run("worker order")
        await world.settled(sent)
    second = [message(CancelOrder(one.key), f"{one.key}/cancel") for one in sent]
    zombie.thaw()
    await world.send(second)
    await world.settled(second)
    await until(lambda: _logged(zombie.log_file.read_text, "decided on an old state"))
    await world.each_once([*sent, *second])
    world.check()


async def _logged(read: Callable[[], str], what: str) -> bool:
    return what in read()


class Hooked:
    """Does something once, at a certain point of the first attempt: another owner commits there."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do
        self.done = False

    def __call__(self) -> None:
        if not self.done:
            self.done = True
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: asyncio.run(self._do())).result()


@pytest.mark.parametrize("where", ["before the states are read", "while they are folded"])
async def test_a_commit_between_fence_and_fold_refuses_nothing_wrongly(world: World, where: str):
    """1: the fence is read first; what another owner commits afterwards is noticed."""
    topic, settings = Topic(), world.settings()
    place_it = topic.command(place("o-1"), "place")
    reserved = topic.command(RecordStockReserved("o-1"), "reserved")
    hold_it = topic.command(HoldOrder("o-1"), "hold")  # refused before the stock is reserved

    async def another_owner() -> None:
        other = Engine(declare("order", settings), settings)
        await other.own({0: None})
        await other.handle([place_it, reserved])  # the one that is done already is dropped
        await other.close()

    hook, context = Hooked(another_owner), declare("order", settings)

    def reads(command: Command) -> tuple[str, ...]:
        hook()
        return (command.stream,)

    def evolve(state: Any, event: Any) -> Any:
        hook()
        return context.evolve(state, event)

    if where.startswith("before"):
        owner = Engine(replace(context, reads=reads), settings)
    else:
        first = Engine(context, settings)
        await first.own({0: None})
        await first.handle([place_it])
        await first.close()
        owner = Engine(replace(context, evolve=evolve), settings)
    await owner.own({0: None})
    await owner.handle([hold_it])
    assert hook.done
    assert await _result(world, "hold") == "applied"
    facts = (await read_streams(world.conn, ["order-o-1"]))["order-o-1"]
    assert [fact.version for fact in facts] == list(range(1, len(facts) + 1))
    await owner.close()


async def _result(world: World, origin: str) -> str:
    return (await outcomes.find(world.conn, [named(origin)]))[named(origin)].result


async def test_one_of_four_partitions_is_revoked_under_a_batch(world: World):
    """16: three go on, what stands in the fourth is applied once, by its new owner."""
    topic, settings = Topic(4), world.settings()
    batch = [
        topic.command(place(f"o-{number}-{n}"), f"{number}-{n}", number)
        for n in range(25)
        for number in range(4)
    ]
    theirs = [one for one in batch if one.partition == 3]
    context = declare("order", settings)

    async def new_owner() -> None:
        owner.disown([3])
        other = Engine(context, settings)
        await other.own({3: None})
        await other.handle(theirs[:10])
        await other.close()

    hook = Hooked(new_owner)

    def reads(command: Command) -> tuple[str, ...]:
        hook()
        return (command.stream,)

    owner = Engine(replace(context, reads=reads), settings)
    await owner.own(dict.fromkeys(range(4)))
    await owner.handle(batch)
    assert await world.count("select count(*) from outcome") == 75 + 10
    later = Engine(context, settings)
    await later.own({3: None})
    await later.handle(theirs)
    assert await world.count("select count(*) from outcome where result = 'applied'") == 100
    assert await world.count("select count(*) from event") == 100
    world.check()
    for one in (owner, later):
        await one.close()


async def test_workers_come_and_go_under_load(world: World):
    """6: one worker, three, one: nothing lost, nothing twice, each leaves within ten seconds."""
    first = orders(3_000, "r")
    second = [message(CancelOrder(one.key), f"{one.key}/cancel") for one in first]
    sent = [*first, *second]
    [stays] = await world.run("worker order", batch_size=50)

    async def load() -> None:
        for begin in range(0, len(sent), 200):
            await world.send(sent[begin : begin + 200])
            await asyncio.sleep(0.1)

    loading = asyncio.create_task(load())
    others = await world.run("worker order", "worker order", batch_size=50)
    await until(lambda: _half_done(world, 1_500))
    for other in others:
        assert await other.end(10) == 0
    await loading
    await world.settled(sent)
    await world.each_once(sent)
    assert await stays.end(10) == 0
    world.check()


async def _half_done(world: World, count: int) -> bool:
    return await world.count("select count(*) from outcome") >= count


async def test_killed_again_and_again_under_load(world: World):
    """4, 6: kill -9 of the worker: all is applied once."""
    sent = orders(2_000, "k")
    await world.send(sent)
    for kills in range(1, 4):
        [worker] = await world.run("worker order", batch_size=20)
        await until(lambda kills=kills: _half_done(world, 200 * kills))
        await worker.kill()
    await world.run("worker order")
    await world.settled(sent)
    await world.each_once(sent)
    world.check()


async def test_the_group_moves_only_after_the_commit(world: World):
    """6: while the commit waits, nothing is acknowledged."""
    sent = orders(40)
    async with await connect(world.admin_dsn, name="admin") as admin:
        await world.run("worker order")
        async with admin.transaction():
            await admin.execute("lock table outcome in access exclusive mode")
            await world.send(sent)
            await until(lambda: world.waits_for_lock("quire-order"))
            await asyncio.sleep(2.5)  # Faust commits what is acknowledged each second
            assert set((await group_offsets(world.kafka, "quire-order")).values()) <= {0}
    await world.settled(sent)
    await until(lambda: _acknowledged(world, len(sent)))


async def _acknowledged(world: World, count: int) -> bool:
    return sum((await group_offsets(world.kafka, "quire-order")).values()) == count
