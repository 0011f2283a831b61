"""The commands sent lately that may still lack an outcome, kept so that nobody reads them again."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from msgspec import Struct

from bus.batches import Place

CAPACITY = 300_000  # commands; about 60 MB


class Sent(Struct, frozen=True, gc=False):
    """A command, the fact that caused it, and where it was sent to."""

    position: int
    id: UUID
    place: Place


@dataclass
class Chunk:
    """Facts up to position `to` were sent at `at`; the commands of each partition stand before the
    offset in `ends`. `waiting` are those that had no outcome when last looked at."""

    to: int
    at: float
    waiting: list[Sent]
    ends: Mapping[Place, int]


@dataclass
class Window:
    """The facts after `done` and up to `end`, chunk by chunk."""

    done: int
    end: int
    chunks: deque[Chunk] = field(default_factory=deque[Chunk])

    @property
    def full(self) -> bool:
        return sum(len(chunk.waiting) for chunk in self.chunks) >= CAPACITY

    def add(self, after: int, chunk: Chunk) -> None:
        """Remember a chunk; one that does not fit here is read from the log when there is room."""
        if after == self.end and not self.full:
            self.chunks.append(chunk)
            self.end = chunk.to

    def settle(self) -> None:
        """Move the done point over all that waits for nothing."""
        while self.chunks and not self.chunks[0].waiting:
            self.done = self.chunks.popleft().to
        if self.chunks:
            self.done = max(self.done, self.chunks[0].waiting[0].position - 1)

    def go_back(self, position: int) -> None:
        """Forget all: everything after `position` is sent again."""
        self.chunks.clear()
        self.done = self.end = position
