"""Relay, topic and workers together, as one model to search."""

from collections.abc import Iterator
from dataclasses import dataclass

from .growth import growth_steps
from .relay import relay_steps, topic_steps
from .worker import worker_steps
from .world import Scenario, World, first_world, what_is_broken, what_is_unfinished


@dataclass(frozen=True)
class Pipeline:
    scenario: Scenario

    def start(self) -> World:
        return first_world(self.scenario)

    def steps(self, state: World) -> Iterator[tuple[str, World]]:
        log, rules = self.scenario.log, self.scenario.protections
        yield from relay_steps(state, log, rules)
        yield from topic_steps(state)
        yield from growth_steps(state, rules)
        yield from worker_steps(state, log, self.scenario.homes, self.scenario.batch, rules)

    def broken(self, state: World) -> str | None:
        return what_is_broken(state)

    def unfinished(self, state: World) -> str | None:
        return what_is_unfinished(state)
