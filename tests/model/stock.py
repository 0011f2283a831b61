"""One stock row that two partitions share: two owners reserve the last piece (clause 7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .protections import ALL, Protections
from .world import put

Steps = Iterator[tuple[str, "World"]]


class Worker(NamedTuple):
    stage: str
    known: int
    """The free pieces, as this worker knows them."""


class World(NamedTuple):
    free: int
    workers: tuple[Worker, ...]
    lock: int | None = None


@dataclass(frozen=True)
class Stock:
    """Each worker owns its partition and has one order for one piece."""

    free: int = 1
    workers: int = 2
    protections: Protections = ALL

    def start(self) -> World:
        return World(self.free, (Worker("idle", self.free),) * self.workers)

    def steps(self, state: World) -> Steps:
        for name, worker in enumerate(state.workers):
            if worker.stage == "idle" and state.lock is None:
                known = state.free if self.protections.shared_read_under_lock else worker.known
                deciding = put(state.workers, name, Worker("deciding", known))
                yield f"worker {name} locks the row", World(state.free, deciding, name)
            elif worker.stage == "deciding":
                stage = "reserved" if worker.known else "ran short"
                done = put(state.workers, name, Worker(stage, worker.known))
                free = state.free - (stage == "reserved")
                yield f"worker {name} commits: {stage}", World(free, done)

    def broken(self, state: World) -> str | None:
        return "oversold" if state.free < 0 else None

    def unfinished(self, state: World) -> str | None:
        served = sum(worker.stage == "reserved" for worker in state.workers)
        settled = all(worker.stage in {"reserved", "ran short"} for worker in state.workers)
        return None if settled and served == min(self.free, self.workers) else "lost"
