"""The group's offset is a hint and the fence counts (PROTOCOL 1); a topic made anew (1, 9)."""

import pytest

from bus.message import Message
from bus.topics import group_offsets, set_group_offsets
from domain.catalog import TOPICS
from domain.order.messages import CancelOrder
from tests.faults.world import GROUPS, PARTITIONS, World, message, orders
from tests.integration.relay_world import until

TOPIC = TOPICS["order"]
GROUP = GROUPS[TOPIC]


def placed_then_cancelled(prefix: str, count: int) -> tuple[list[Message], list[Message]]:
    """Two commands a key, the second of which is refused when it overtakes the first."""
    return orders(count, prefix), [
        message(CancelOrder(f"{prefix}-{n}"), f"{prefix}-{n}/cancel") for n in range(count)
    ]


@pytest.mark.parametrize("how", ["ahead", "deleted"])
async def test_where_the_group_stands_does_not_matter(world: World, how: str):
    """2: the group's offset set 500 ahead by an admin, or deleted: all is done, once, in order."""
    first, second = placed_then_cancelled("a", 400)
    await world.send(first)
    [worker] = await world.run("worker order")
    await world.settled(first)
    assert await worker.end() == 0
    await world.no_members("order")
    await world.send(second)

    if how == "ahead":
        ahead = {(TOPIC, number): 500 + 400 for number in range(PARTITIONS)}
        await set_group_offsets(world.kafka, GROUP, ahead)
        assert await group_offsets(world.kafka, GROUP) == ahead
    else:
        await world.forget_group(GROUP)
        assert await group_offsets(world.kafka, GROUP) == {}

    await world.run("worker order")
    await world.settled(second)
    await world.each_once([*first, *second])
    world.check()


async def test_a_topic_made_anew_with_as_many_new_messages(world: World):
    """3: what was lost with the old topic is swept, what stands in the new one is applied.

    The fences point behind as many records as the new topic holds.
    """
    orders_before, cancels = placed_then_cancelled("a", 200)
    await world.send(orders_before)
    order, inventory, relay = await world.run("worker order", "worker inventory", "relay")
    await world.settled(orders_before)
    await world.reached("quire.inventory.ran_short.v1", 200)
    await world.relayed()
    assert await order.end() == 0
    assert await inventory.end() == 0
    assert await relay.end() == 0
    await world.no_members("order")

    # There is no mug to sell. Whichever of these answers was not handled is lost with the topic.
    await world.make_anew([TOPIC])
    new = orders(400, "b")
    await world.send([*new, *cancels])
    await world.run("worker order", "worker inventory", "relay")

    await world.settled([*new, *cancels])
    await until(lambda: _all_closed(world, 600), 60)
    await world.each_once(new)
    world.check()


async def _all_closed(world: World, count: int) -> bool:
    """Rejected for want of stock, or cancelled when that came first."""
    closed = ["quire.order.rejected.v1", "quire.order.cancelled.v1"]
    return await world.count("select count(*) from event where type = any(%s)", closed) == count
