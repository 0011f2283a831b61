"""The world of relay and workers: log, topics, fences, outcomes, and what must hold of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from .protections import ALL, Protections

T = TypeVar("T")


class Fact(NamedTuple):
    """A fact of the log and the one command it causes: the number-th of its key, from 1."""

    partition: int
    grown: int
    """Its partition once the topic has grown."""
    key: int
    number: int
    chained: bool = True
    """Names the one before it in its partition; a door's commands do not."""


class Faults(NamedTuple):
    """How often each thing may go wrong."""

    relay_crash: int = 0
    second_relay: int = 0
    records_lost: int = 0
    worker_crash: int = 0
    takeover: int = 0
    lost_answer: int = 0
    rollback: int = 0
    group_ahead: int = 0
    growth: int = 0


class Record(NamedTuple):
    """A command in a topic; facts are named by their place in the log."""

    fact: int
    partition: int
    prev: int | None


class Checkpoint(NamedTuple):
    at: int
    last: tuple[int | None, ...]
    """The last id sent to each partition."""


class Relay(NamedTuple):
    at: int
    last: tuple[int | None, ...]
    flying: tuple[Record, ...] = ()


class Fence(NamedTuple):
    version: int
    offset: int


class Decision(NamedTuple):
    fact: int
    kind: str
    seen: int
    """The stream's last version, as the decider saw it."""


class Batch(NamedTuple):
    partition: int
    fence: int
    offset: int
    decisions: tuple[Decision, ...]


class Worker(NamedTuple):
    """A life of a worker; it owns its partition, or believes so."""

    fence: int | None = None
    at: int = 0
    cache: tuple[int, ...] | None = None
    """The last version of each key's stream."""
    batch: Batch | None = None


class World(NamedTuple):
    faults: Faults
    sweeps: int
    checkpoint: Checkpoint
    relays: tuple[Relay | None, ...]
    holder: int | None
    late_sends: tuple[Record, ...]
    topic: tuple[tuple[Record | None, ...], ...]
    """Each partition's records; None where the broker deleted one."""
    group: tuple[int, ...]
    fences: tuple[Fence, ...]
    owner: tuple[int | None, ...]
    workers: tuple[Worker | None, ...]
    late_batches: tuple[Batch, ...]
    streams: tuple[tuple[tuple[int, int], ...], ...]
    """Each key's (version, fact)."""
    outcomes: tuple[tuple[str, ...], ...]
    stale: bool
    grown: bool


@dataclass(frozen=True)
class Scenario:
    """`facts` gives each fact's (partition, key); `homes` the partition each worker reads;
    all facts go to partition `grown_to` once the topic has grown."""

    facts: tuple[tuple[int, int], ...]
    faults: Faults
    homes: tuple[int, ...] = (0,)
    relays: int = 1
    batch: int = 1
    sweeps: int = 9
    protections: Protections = ALL
    grown_to: int = 0
    chained: bool = True

    @property
    def partitions(self) -> int:
        return max(self.grown_to, *(partition for partition, _ in self.facts)) + 1

    @property
    def log(self) -> tuple[Fact, ...]:
        keys = [key for _, key in self.facts]
        return tuple(
            Fact(partition, self.grown_to, key, keys[: place + 1].count(key), self.chained)
            for place, (partition, key) in enumerate(self.facts)
        )


def first_world(scenario: Scenario) -> World:
    partitions = range(scenario.partitions)
    keys = {key for _, key in scenario.facts}
    return World(
        faults=scenario.faults,
        sweeps=scenario.sweeps,
        checkpoint=Checkpoint(0, tuple(None for _ in partitions)),
        relays=(None,) * scenario.relays,
        holder=None,
        late_sends=(),
        topic=tuple(() for _ in partitions),
        group=tuple(0 for _ in partitions),
        fences=tuple(Fence(0, 0) for _ in partitions),
        owner=tuple(None for _ in partitions),
        workers=(None,) * len(scenario.homes),
        late_batches=(),
        streams=tuple(() for _ in keys),
        outcomes=tuple(() for _ in scenario.facts),
        stale=False,
        grown=False,
    )


def put(items: Sequence[T], place: int, item: T) -> tuple[T, ...]:
    """The same items, with one changed."""
    return (*items[:place], item, *items[place + 1 :])


def suffer(world: World, fault: str) -> Iterator[World]:
    """The world with one fault of this kind used up, if any is left."""
    left: int = getattr(world.faults, fault)
    if left:
        yield world._replace(faults=world.faults._replace(**{fault: left - 1}))


def partition_of(world: World, fact: Fact) -> int:
    return fact.grown if world.grown else fact.partition


def done_point(world: World) -> int:
    """Every fact before it has its outcome."""
    missing = (place for place, outcome in enumerate(world.outcomes) if not outcome)
    return next(missing, len(world.outcomes))


def what_is_broken(world: World) -> str | None:
    for stream in world.streams:
        facts = [fact for _, fact in stream]
        if len(set(facts)) < len(facts):
            return "applied twice"
        if [version for version, _ in stream] != list(range(1, len(stream) + 1)):
            return "version gap"
        if facts != sorted(facts):
            return "out of order"
    if world.stale:
        return "decided on a stale state"
    return "refused wrongly" if any("refused" in outcome for outcome in world.outcomes) else None


def what_is_unfinished(world: World) -> str | None:
    return None if all(len(outcome) == 1 for outcome in world.outcomes) else "lost"
