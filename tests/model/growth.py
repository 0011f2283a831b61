"""More partitions: a key moves, so nothing of it may be left behind (clause 14)."""

from collections.abc import Iterator

from .protections import Protections
from .world import World, done_point, suffer


def growth_steps(world: World, rules: Protections) -> Iterator[tuple[str, World]]:
    for after in suffer(world, "growth"):
        if not rules.drained_before_growth:
            yield "the topic grows under way", after._replace(grown=True)
        elif _drained(world, rules):
            stopped = after._replace(
                relays=(None,) * len(world.relays),
                holder=None,
                workers=(None,) * len(world.workers),
                owner=(None,) * len(world.owner),
            )
            yield "all is stopped and the topic grows", stopped._replace(grown=True)


def _drained(world: World, rules: Protections) -> bool:
    """Read to the end is not enough: some of it may be lost, or land later."""
    in_flight = any(relay is not None and relay.flying for relay in world.relays)
    read = all(
        fence.offset >= len(records)
        for fence, records in zip(world.fences, world.topic, strict=True)
    )
    done = done_point(world) >= world.checkpoint.at or not rules.done_before_growth
    landed = not world.late_sends or not rules.landed_before_growth
    return read and done and landed and not in_flight
