"""A topic that was altered under way: nobody goes on (PROTOCOL 14)."""

from bus.topics import add_partitions
from domain.catalog import TOPICS
from streams.lifecycle import NEEDS_A_PERSON
from tests.faults.world import PARTITIONS, World, message, orders, place


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
