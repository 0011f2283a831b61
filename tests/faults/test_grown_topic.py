"""A topic that was altered under way: nobody goes on (PROTOCOL 14)."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from bus.message import Message
from bus.partition import partition_of
from bus.topics import add_partitions, partition_counts
from domain.catalog import TOPICS
from domain.order.messages import CancelOrder
from streams.lifecycle import NEEDS_A_PERSON
from tests.faults.process import Process
from tests.faults.world import PARTITIONS, World, message, orders, place
from tests.integration.relay_world import until


async def test_relay_and_workers_refuse_a_topic_that_grew_by_itself(world: World):
    """25: more partitions by a plain alter: a key's partition would change under way."""
    sent = orders(100)
    worker, other, relay = await world.run("worker order", "worker order", "relay")
    await world.send(sent)
    await world.settled(sent)
    await add_partitions(world.kafka, TOPICS["order"], PARTITIONS + 2)
    late = message(place("late"), "late/place")
    await world.send([late], to={late.id: PARTITIONS + 1})

    for process in (worker, other, relay):
        assert await process.ended(30) == NEEDS_A_PERSON
        assert f"{PARTITIONS + 2} partitions and should have {PARTITIONS}" in process.log
    again = await world.start("worker", "order")
    assert await again.ended(30) == NEEDS_A_PERSON
    assert await world.outcomes([late]) == {}
    world.check()


ALL = ("worker order", "worker inventory", "worker notification", "relay")
TOPIC = TOPICS["order"]


async def test_grown_by_the_command_in_the_middle_of_a_load(world: World):
    """25: 4 -> 8 partitions. It refuses while anything runs; then all that came before and all that
    comes after is done once, in order."""
    before, after = orders(300, "before"), orders(300, "after")
    first = await world.run(*ALL)
    await world.send(before)
    await world.reached("quire.order.placed.v1", 100)
    assert await _grow(world) == "in_use"
    await world.reached("quire.order.rejected.v1", 300)
    await world.drained()
    await _ended(first)
    await until(lambda: _grown(world))

    await world.run(*ALL)
    await world.send(after, to=_places(after))
    cancels = [message(CancelOrder(one.key), f"{one.key}/late") for one in before]
    await world.send(cancels, to=_places(cancels))  # they may stand in another partition now
    await world.settled([*after, *cancels])
    await world.reached("quire.order.rejected.v1", 600)
    await world.each_once([*before, *after])
    assert set((await world.outcomes(cancels)).values()) == {"refused"}
    used = {read.place[1] for read in await world.records("order")}
    assert used == set(range(2 * PARTITIONS))
    world.check()


def _places(sent: list[Message]) -> dict[Any, int]:
    return {one.id: partition_of(one.key.encode(), 2 * PARTITIONS) for one in sent}


async def _ended(processes: list[Process]) -> None:
    assert set(await asyncio.gather(*(one.end() for one in processes))) == {0}


async def _grown(world: World) -> bool:
    """Refused for a moment while Kafka still counts the members that left."""
    refusal = await _grow(world)
    assert refusal in ("", "in_use")
    counts = await partition_counts(world.kafka, [TOPIC])
    return not refusal and counts[TOPIC] == 2 * PARTITIONS


async def _grow(world: World) -> str:
    """The code of the refusal, if it is one."""
    environment = {
        "QUIRE_POSTGRES_DSN": world.dsn, "QUIRE_KAFKA": world.kafka,
        "QUIRE_STATE_DIR": str(world.path),
    }  # fmt: skip
    words = ("topics", "grow", TOPIC, str(2 * PARTITIONS), "--json")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "cli.main", *words],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    return answer["error"]["code"] if done.returncode else ""
