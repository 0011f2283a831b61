"""Records handed to an engine without Kafka: the members that it needs of one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from msgspec.structs import replace
from pydantic import SecretStr

from bus.message import API, RELAY, TIMERS, Message
from domain.ids import derive
from domain.message import Command
from store.codec import encode
from streams.settings import Settings


@dataclass
class Record:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


def named(origin: str) -> UUID:
    """A command id; the same origin gives the same id."""
    return derive(1_700_000_000_000, origin)


def message(
    command: Command, origin: str, *, source: str = API, prev: UUID | None = None
) -> Message:
    return Message(
        id=named(origin), type=command.kind, source=source, time=datetime.now(UTC),
        key=command.key, subject=command.stream, correlation=command.key, causation=None,
        data=encode(command), prev=prev,
    )  # fmt: skip


class Topic:
    """One partition after another, with the offsets that Kafka would give."""

    def __init__(self, partitions: int = 1) -> None:
        self._offsets = dict.fromkeys(range(partitions), 0)

    def send(self, sent: Message, partition: int = 0) -> Record:
        return self.raw(sent.key.encode(), sent.data, sent.headers(), partition)

    def command(
        self,
        command: Command,
        origin: str,
        partition: int = 0,
        *,
        source: str = API,
        prev: UUID | None = None,
    ) -> Record:
        return self.send(message(command, origin, source=source, prev=prev), partition)

    def relayed(
        self, command: Command, origin: str, prev: str | None, partition: int = 0
    ) -> Record:
        before = named(prev) if prev is not None else None
        return self.command(command, origin, partition, source=RELAY, prev=before)

    def timer(self, command: Command, id: UUID, partition: int = 0) -> Record:
        return self.send(replace(message(command, "timer", source=TIMERS), id=id), partition)

    def raw(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int = 0,
    ) -> Record:
        offset = self._offsets[partition]
        self._offsets[partition] += 1
        return Record(partition, offset, key, value, headers or [])


def settings(dsn: str, state_dir: Path, **changes: object) -> Settings:
    values: dict[str, object] = {
        "postgres_dsn": SecretStr(dsn),
        "kafka": "127.0.0.1:1",
        "state_dir": state_dir,
    }
    return Settings.model_validate(values | changes)
