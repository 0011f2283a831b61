"""Every record of a quire topic is a CloudEvent to the SDK, from the first offset on."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

from bus.message import RELAY
from domain.catalog import COMMANDS, EVENTS
from tests.integration.relay_world import World


async def test_the_sdk_reads_all_that_the_relay_writes(
    postgres_dsn: str, kafka: str, topics: Callable[[str, int], Awaitable[str]]
):
    world = await World.make(postgres_dsn, kafka, topics)
    async with world.conn:
        async with world.running():
            await world.relayed(await world.orders(5))
        facts, commands = await world.read(world.routes.facts), await world.commands()
    assert len(facts) > 100
    assert len(commands) > 50
    for read in [*facts, *commands]:
        event = from_binary_event(KafkaMessage(read.headers, read.key, read.value))
        assert event.get_id() == str(read.message.id)
        assert event.get_specversion() == "1.0"
        assert event.get_datacontenttype() == "application/json"
        assert isinstance(event.get_time(), datetime)
        assert event.get_subject()
        assert event.get_extension("partitionkey") == read.key.decode()
        assert isinstance(event.get_data(), dict)
    assert {read.message.type for read in facts} <= set(EVENTS)
    assert {read.message.type for read in commands} <= set(COMMANDS)
    assert {read.message.source for read in commands} == {RELAY}
    positions = {int(read.headers["ce_position"]) for read in facts}
    assert len(positions) == len(facts)
    assert not any("ce_position" in read.headers for read in commands)
