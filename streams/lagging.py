"""How far a worker is behind in its own partitions, asked of Kafka for each page of metrics."""

from bus.topics import offsets
from streams.engine import Engine
from telemetry.registry import of_this_process

LAG, PARTITIONS = "quire_lag_messages", "quire_partitions"


def follow(engine: Engine, kafka: str) -> None:
    """Tell it from now on.

    On a connection of its own: Faust's consumer answers only between two polls. While Postgres is
    away an owner knows no fence; what it knew last still counts.
    """
    figures = of_this_process()
    agent, topic = engine.context.name, engine.context.topic
    handled: dict[int, int] = {}

    async def lag() -> None:
        handled.update(engine.next_offsets)
        for partition in handled.keys() - engine.owned:
            del handled[partition]
        behind = 0
        if handled:
            async with offsets(kafka) as places:
                extents = await places.extents([(topic, partition) for partition in handled])
            behind = sum(max(0, extents[topic, at].end - done) for at, done in handled.items())
        figures.gauge(LAG).labels(agent).set(behind)

    async def partitions() -> None:
        figures.gauge(PARTITIONS).labels(agent).set(len(engine.owned))

    figures.asked(lag, LAG)
    figures.asked(partitions, PARTITIONS)
