"""A timer of an order: armed anew, announced late or twice, and racing with a payment (3, 11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .protections import ALL, Protections
from .world import put

Steps = Iterator[tuple[str, "World"]]
TIMERS = ("timer 0", "timer 1")


class World(NamedTuple):
    repeats: int
    """How often an announcement may be said again, by any timer process."""
    due: int = 0
    """So many timers are due; timer 1 is armed instead of timer 0 by an attempt to pay."""
    attempted: bool = False
    paid_at: int | None = None
    """So many timers were due when the payment entered the log."""
    relayed: bool = False
    hands: tuple[str | None, ...] = (None, None)
    """What each timer process has read and not yet announced."""
    topic: tuple[str, ...] = ()
    offset: int = 0
    outcomes: tuple[str, ...] = ()
    """The messages that were handled."""
    effects: tuple[str, ...] = ()
    armed: str | None = TIMERS[0]
    expired_by: str | None = None
    wrongly: str | None = None


@dataclass(frozen=True)
class Timers:
    repeats: int = 1
    protections: Protections = ALL

    def start(self) -> World:
        return World(self.repeats)

    def steps(self, state: World) -> Steps:
        yield from _customer_and_clock(state)
        for name in range(len(state.hands)):
            yield from _announces(state, self.protections, name)
        if state.offset < len(state.topic):
            message = state.topic[state.offset]
            yield f"worker handles {message}", _handled(state, self.protections, message)

    def broken(self, state: World) -> str | None:
        if len(set(state.effects)) < len(state.effects):
            return "applied twice"
        return state.wrongly

    def unfinished(self, state: World) -> str | None:
        if state.armed is not None:
            return "lost"
        return None if set(state.topic) == set(state.outcomes) else "lost"


def _customer_and_clock(world: World) -> Steps:
    if not world.attempted and world.due == 0:
        topic = (*world.topic, "attempt")
        yield "customer tries again to pay", world._replace(attempted=True, topic=topic)
    if world.paid_at is None and world.due < len(TIMERS):
        yield "payment enters the log", world._replace(paid_at=world.due)
    if world.paid_at is not None and not world.relayed:
        passed = world._replace(relayed=True, topic=(*world.topic, "paid"))
        yield "relay passes the payment", passed
    if world.due < len(TIMERS):
        yield f"{TIMERS[world.due]} is due", world._replace(due=world.due + 1)


def _announces(world: World, rules: Protections, name: int) -> Steps:
    timer = world.hands[name]
    if timer is None:
        if world.armed is None or world.armed not in TIMERS[: world.due]:
            return
        again = world.armed in world.topic or world.armed in world.hands
        if again and not world.repeats:
            return
        read = world._replace(
            hands=put(world.hands, name, world.armed), repeats=world.repeats - again
        )
        yield f"timer process {name} reads {world.armed}", read
    elif not rules.timer_waits_for_relay or world.relayed or not _paid_before(world, timer):
        announced = world._replace(hands=put(world.hands, name, None), topic=(*world.topic, timer))
        yield f"timer process {name} announces {timer}", announced


def _paid_before(world: World, timer: str) -> bool:
    return world.paid_at is not None and timer not in TIMERS[: world.paid_at]


def _handled(world: World, rules: Protections, message: str) -> World:
    after = world._replace(offset=world.offset + 1)
    if rules.outcome_drops_repeats and message in world.outcomes:
        return after
    after = after._replace(outcomes=(*world.outcomes, message))
    if message in TIMERS:
        return _fired(after, rules, message)
    armed = TIMERS[1] if message == "attempt" and world.armed else None
    return after._replace(effects=(*world.effects, message), armed=armed)


def _fired(world: World, rules: Protections, timer: str) -> World:
    wrongly = None
    if world.armed != timer:
        if rules.timer_armed_checked:
            return world  # noop
        wrongly = "fired though not armed"
    elif _paid_before(world, timer):
        wrongly = "expired though paid before"
    effects = (*world.effects, timer)
    return world._replace(effects=effects, armed=None, expired_by=timer, wrongly=wrongly)
