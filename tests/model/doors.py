"""A wish at the door (API, intake): said again, a crash at any step, the topic lost (clause 11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .protections import ALL, Protections
from .world import put

Steps = Iterator[tuple[str, "World"]]


class World(NamedTuple):
    requests: tuple[str, ...] = ()
    """How far each saying of the one wish came."""
    sayings: int = 0
    crashes: int = 0
    losses: int = 0
    rows: tuple[int, ...] = ()
    """The command ids that are stored."""
    marked: tuple[int, ...] = ()
    topic: tuple[int | None, ...] = ()
    offset: int = 0
    outcomes: tuple[int, ...] = ()
    effects: int = 0


@dataclass(frozen=True)
class Doors:
    first: World
    protections: Protections = ALL

    def start(self) -> World:
        return self.first

    def steps(self, state: World) -> Steps:
        if state.sayings:
            said = state._replace(sayings=state.sayings - 1, requests=(*state.requests, "received"))
            yield f"request {len(state.requests)} arrives", said
        for name, stage in enumerate(state.requests):
            if stage != "died":
                yield from _request(state, self.protections, name, stage)
                if state.crashes and stage != "answered":
                    died = put(state.requests, name, "died")
                    crashed = state._replace(requests=died, crashes=state.crashes - 1)
                    yield f"the door crashes with request {name} in hand", crashed
        yield from _topic_and_worker(state, self.protections)

    def broken(self, state: World) -> str | None:
        return "applied twice" if state.effects > 1 else None

    def unfinished(self, state: World) -> str | None:
        return "lost" if "answered" in state.requests and not state.effects else None


def _request(world: World, rules: Protections, name: int, stage: str) -> Steps:
    """Row, publish, answer, and the mark at any time later; a marked row is answered at once."""
    command = 0 if rules.id_stable else name

    def comes_to(stage: str) -> World:
        return world._replace(requests=put(world.requests, name, stage))

    if stage == "received":
        if command in world.marked:
            yield f"request {name} is answered from the row", comes_to("answered")
        elif command in world.rows or not rules.row_before_publish:
            yield f"request {name} goes on to publish", comes_to("stored")
        else:
            stored = comes_to("stored")._replace(rows=(*world.rows, command))
            yield f"request {name} is stored as command {command}", stored
    elif stage == "stored":
        published = comes_to("published")._replace(topic=(*world.topic, command))
        yield f"request {name} is published", published
    elif stage == "published":
        yield f"request {name} is answered", comes_to("answered")
    elif rules.row_before_publish and command not in world.marked:
        yield f"request {name} is marked", world._replace(marked=(*world.marked, command))


def _topic_and_worker(world: World, rules: Protections) -> Steps:
    if world.losses and any(record is not None for record in world.topic):
        gone = tuple(None for _ in world.topic)
        yield "the topic's records are lost", world._replace(topic=gone, losses=world.losses - 1)
    if world.offset < len(world.topic):
        command = world.topic[world.offset]
        read = world._replace(offset=world.offset + 1)
        repeat = rules.outcome_drops_repeats and command in world.outcomes
        if command is None or repeat:
            yield "worker drops a record", read
        else:
            outcomes = (*world.outcomes, command)
            applied = read._replace(outcomes=outcomes, effects=world.effects + 1)
            yield f"worker applies command {command}", applied
    elif rules.sweeper:  # read to the end, so what has no outcome is no lag
        for command in world.rows:
            if command not in world.outcomes:
                again = world._replace(topic=(*world.topic, command))
                yield f"timer process publishes command {command} again", again
