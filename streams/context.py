"""What an agent is: a name, a decider, and whom it asks outside."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.catalog import TOPICS
from domain.decider import Decider
from domain.message import Command


class Record(Protocol):
    """A record as Kafka delivered it; the members that the engine needs of it."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Any: ...


NO_BOUND = 1_000_000


async def _nothing() -> None: ...


@dataclass(frozen=True)
class Outside:
    """The world outside: what to ask for a command, whom, and how to tell the decider.

    `ask` says None when the state already knows; `perform` answers and never raises; `close` lets
    go of what stays open between two of its answers.
    """

    ask: Callable[[Any, Any, str], Any | None]
    perform: Callable[[Any], Awaitable[Any]]
    answered: Callable[[Any, Any, Any, datetime], Any]
    close: Callable[[], Awaitable[None]] = _nothing


def _own_stream(command: Command) -> tuple[str, ...]:
    return (command.stream,)


def _own_state(_: Command, state: Any, __: Callable[[str], Any]) -> Any:
    return state


@dataclass(frozen=True)
class Context:
    """The declaration of an agent.

    `initial` and `evolve` make the state that its owner remembers of a stream; `reads` names the
    streams that a command needs remembered, and `seen` makes of its own stream's state, with the
    states of the others at hand, what the decider sees. `shared_stock`: its rows are locked first.
    `most` bounds a batch where the world outside takes its time over each message.
    """

    name: str
    decider: Decider[Any, Any, Any]
    initial: Any
    evolve: Callable[[Any, Any], Any]
    outside: Outside | None = None
    shared_stock: bool = False
    reads: Callable[[Command], tuple[str, ...]] = _own_stream
    seen: Callable[[Command, Any, Callable[[str], Any]], Any] = _own_state
    most: int = NO_BOUND

    @property
    def topic(self) -> str:
        return TOPICS[self.name]

    @property
    def processor(self) -> str:
        """The name of its consumer group and of its fences."""
        return f"quire-{self.name}"
