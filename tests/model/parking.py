"""Parked messages of one key: redrive, discard, nudges, and a zombie owner (clauses 3 and 12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .protections import ALL, Protections
from .world import Fence, put

Steps = Iterator[tuple[str, "World"]]
NUDGE = -1
OUTCOMES = {
    "park": "parked",
    "park behind": "parked",
    "park again": "parked",
    "apply": "applied",
    "redrive": "applied",
    "discard": "discarded",
}


class Row(NamedTuple):
    message: int
    poison: bool
    """It could not be decided itself; the others only stand behind it."""
    flag: str = ""
    asked: int = 0
    """The number of the operator's request that flagged it last."""


class Change(NamedTuple):
    verb: str
    message: int
    asked: int = 0
    """The request it answers."""


class Batch(NamedTuple):
    fence: int
    offset: int
    changes: tuple[Change, ...]


class Worker(NamedTuple):
    fence: int
    at: int
    looks: bool
    """Redriven rows are to be looked for before the next record."""
    batch: Batch | None = None


class World(NamedTuple):
    sent: int = 0
    repeats: int = 0
    redrives: int = 0
    discards: int = 0
    nudges_lost: int = 0
    restarts: int = 0
    takeovers: int = 0
    mended: bool = False
    """The cause is gone: message 0 can be decided now."""
    topic: tuple[int, ...] = ()
    fence: Fence = Fence(0, 0)
    rows: tuple[Row, ...] = ()
    outcomes: tuple[str, ...] = ()
    stream: tuple[int, ...] = ()
    owner: int | None = None
    workers: tuple[Worker | None, ...] = (None, None)


@dataclass(frozen=True)
class Parking:
    """Messages 0, 1, ... of one key, of which 0 is poison until mended."""

    messages: int
    first: World
    protections: Protections = ALL

    def start(self) -> World:
        return self.first._replace(outcomes=("",) * self.messages)

    def steps(self, state: World) -> Steps:
        yield from _arrivals(state, self.messages)
        yield from _operator(state)
        for name, worker in enumerate(state.workers):
            if worker is None:
                yield from _assigned(state, self.protections, name)
            elif worker.batch is None:
                yield from _decides(state, self.protections, name, worker)
            else:
                yield from _commits(state, self.protections, name, worker, worker.batch)
            if worker is not None and state.restarts:
                stopped = _lets_go(state, name)._replace(restarts=state.restarts - 1)
                yield f"worker {name} is restarted", stopped

    def broken(self, state: World) -> str | None:
        if len(set(state.stream)) < len(state.stream):
            return "applied twice"
        if list(state.stream) != sorted(state.stream):
            return "out of order"
        return None

    def unfinished(self, state: World) -> str | None:
        if state.rows:
            return "stuck"
        settled = all(
            outcome == ("applied" if message in state.stream else "discarded")
            for message, outcome in enumerate(state.outcomes)
        )
        return None if settled else "lost"


def _arrivals(world: World, messages: int) -> Steps:
    if world.sent < messages:
        sent = world._replace(sent=world.sent + 1, topic=(*world.topic, world.sent))
        yield f"{world.sent} is sent", sent
    if world.repeats:
        for message in range(world.sent):
            again = world._replace(repeats=world.repeats - 1, topic=(*world.topic, message))
            yield f"{message} is sent again", again


def _operator(world: World) -> Steps:
    """Flags, then nudges; the last redrive comes after the mending."""
    if not world.mended:
        yield "the cause is mended", world._replace(mended=True)
    if world.rows and world.redrives and (world.mended or world.redrives > 1):
        rows = tuple(_flagged(row, row.flag or "redrive") for row in world.rows)
        flagged = world._replace(rows=rows, redrives=world.redrives - 1)
        yield from _nudges("operator redrives the key", flagged)
    if world.discards:
        for place, row in enumerate(world.rows):
            rows = put(world.rows, place, _flagged(row, "discard"))
            flagged = world._replace(rows=rows, discards=world.discards - 1)
            yield from _nudges(f"operator discards {row.message}", flagged)


def _flagged(row: Row, flag: str) -> Row:
    return row._replace(flag=flag, asked=row.asked + 1)


def _nudges(name: str, world: World) -> Steps:
    yield name, world._replace(topic=(*world.topic, NUDGE))
    if world.nudges_lost:  # and the worker is restarted some day
        lost = world._replace(nudges_lost=world.nudges_lost - 1, restarts=world.restarts + 1)
        yield f"{name}, the nudge is lost", lost


def _assigned(world: World, rules: Protections, name: int) -> Steps:
    if world.owner is None:
        life = world
    elif world.takeovers:
        life = world._replace(takeovers=world.takeovers - 1)
    else:
        return
    looks = rules.looks_on_assignment and bool(world.rows)
    worker = Worker(world.fence.version, world.fence.offset, looks)
    assigned = life._replace(owner=name, workers=put(world.workers, name, worker))
    yield f"worker {name} is assigned", assigned


def _lets_go(world: World, name: int) -> World:
    owner = None if world.owner == name else world.owner
    return world._replace(owner=owner, workers=put(world.workers, name, None))


def _decides(world: World, rules: Protections, name: int, worker: Worker) -> Steps:
    if worker.looks:
        offset, changes = worker.at, tuple(_redriven(world))
    elif worker.at < len(world.topic):
        offset, message = worker.at + 1, world.topic[worker.at]
        changes = tuple(_redriven(world) if message == NUDGE else _decided(world, rules, message))
    else:
        return
    batch = Batch(worker.fence, offset, changes)
    said = ", ".join(f"{verb} {message}" for verb, message, _ in changes) or "nothing to do"
    taken = worker._replace(batch=batch, looks=False)
    yield (
        f"worker {name} decides up to offset {offset}: {said}",
        world._replace(workers=put(world.workers, name, taken)),
    )


def _decided(world: World, rules: Protections, message: int) -> Iterator[Change]:
    if world.outcomes[message] and rules.outcome_drops_repeats:
        return
    if message == 0 and not world.mended:
        yield Change("park", message)
    elif world.rows and rules.parks_behind:
        yield Change("park behind", message)
    else:
        yield Change("apply", message)


def _redriven(world: World) -> Iterator[Change]:
    """In order, from the head; who only stood behind follows without a flag of its own."""
    for row in world.rows:
        if row.flag == "discard":
            yield Change("discard", row.message)
        elif row.poison and not row.flag:
            return
        elif row.poison and not world.mended:
            yield Change("park again", row.message, row.asked)
            return
        else:
            yield Change("redrive", row.message)


def _commits(world: World, rules: Protections, name: int, worker: Worker, batch: Batch) -> Steps:
    landed = _land(world, rules, batch)
    if landed is None:
        yield f"worker {name}'s commit is refused", _lets_go(world, name)
        return
    after = worker._replace(fence=batch.fence + 1, at=batch.offset, batch=None)
    yield f"worker {name} commits", landed._replace(workers=put(world.workers, name, after))


def _land(world: World, rules: Protections, batch: Batch) -> World | None:
    """The transaction, all or nothing; None when the database refuses it."""
    if rules.fence_compared and world.fence.version != batch.fence:
        return None
    rows, outcomes, stream = world.rows, list(world.outcomes), list(world.stream)
    for change in batch.changes:
        verb, message, _ = change
        standing = "parked" if verb in {"redrive", "discard", "park again"} else ""
        if rules.outcome_drops_repeats and outcomes[message] != standing:
            return None
        rows = _rows_after(rows, change, rules)
        outcomes[message] = OUTCOMES[verb]
        if outcomes[message] == "applied":
            stream.append(message)
    return world._replace(
        fence=Fence(world.fence.version + 1, batch.offset),
        rows=rows,
        outcomes=tuple(outcomes),
        stream=tuple(stream),
    )


def _rows_after(rows: tuple[Row, ...], change: Change, rules: Protections) -> tuple[Row, ...]:
    match change.verb:
        case "park" | "park behind":
            return (*rows, Row(change.message, change.verb == "park"))
        case "park again":
            return tuple(_unflagged(row, change, rules) for row in rows)
        case _:
            return tuple(row for row in rows if row.message != change.message)


def _unflagged(row: Row, change: Change, rules: Protections) -> Row:
    """A flag set since the rows were read asks for another look, so it stays."""
    meant = row.message == change.message
    answered = row.asked == change.asked or not rules.flag_compared
    return row._replace(flag="") if meant and answered else row
