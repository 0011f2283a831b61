"""A record as the engine reads it: the command, or why there is none."""

from dataclasses import dataclass
from uuid import UUID

from bus.message import TIMERS, Message, NotAMessage
from domain.ids import derive
from domain.message import Command
from store.codec import BadData, UnknownType, decode_command
from store.parked import NUDGE, Parked
from streams.context import Record

LONGEST = 512


@dataclass
class Incoming:
    """One message of a batch. `problem` is (cause, error) when it cannot be decided.

    `parked` is its row when it comes back from there.
    """

    partition: int
    offset: int
    id: UUID
    key: str
    kind: str
    headers: list[tuple[str, bytes]]
    body: bytes | None
    message: Message | None = None
    command: Command | None = None
    problem: tuple[str, str] | None = None
    parked: Parked | None = None

    def give_up(self, cause: str, error: str) -> None:
        """It will be parked: nothing of the command is looked at any more."""
        self.command, self.problem = None, (cause, error)

    @property
    def is_timer(self) -> bool:
        return self.message is not None and self.message.source == TIMERS

    @property
    def correlation(self) -> str:
        return self.message.correlation if self.message is not None else str(self.id)


def read(record: Record, topic: str, context: str) -> Incoming:
    """Reads a record; whatever is wrong with it stands in `problem`."""
    headers = [(name, value or b"") for name, value in (record.headers or ())]
    incoming = _blank(record.partition, record.offset, record.key, record.value, headers, topic)
    return _understand(incoming, record.key, context)


def read_parked(row: Parked, context: str) -> Incoming:
    """Reads a parked message again."""
    incoming = _blank(row.partition, -1, row.key.encode(), row.body, row.record_headers, row.topic)
    incoming.parked = row
    incoming = _understand(incoming, row.key.encode(), context)
    incoming.id = row.command_id
    return incoming


def _blank(
    partition: int,
    offset: int,
    key: bytes | None,
    body: bytes | None,
    headers: list[tuple[str, bytes]],
    topic: str,
) -> Incoming:
    # A record without an id of ours is named after its place.
    id = derive(0, f"record|{topic}|{partition}|{offset}")
    return Incoming(
        partition, offset, id, _told((key or b"").decode(errors="replace")), "", headers, body
    )


def _understand(incoming: Incoming, key: bytes | None, context: str) -> Incoming:
    try:
        message = Message.from_record(key, incoming.body, incoming.headers)
    except NotAMessage as error:
        incoming.problem = ("not_a_message", str(error))
        return incoming
    incoming.message, incoming.id, incoming.kind = message, message.id, _told(message.type)
    if message.type == NUDGE:
        return incoming
    try:
        command = decode_command(message.type, message.data)
    except UnknownType:
        incoming.problem = ("unknown_kind", f"no command is called {message.type}")
    except BadData as error:
        incoming.problem = ("bad_data", str(error))
    else:
        problem = _misplaced(command, message, context)
        if problem is not None:
            incoming.give_up(*problem)
        else:
            incoming.command = command
    return incoming


def _misplaced(command: Command, message: Message, context: str) -> tuple[str, str] | None:
    if command.context != context:
        return ("wrong_topic", f"{message.type} belongs to {command.context}")
    if command.key != message.key:
        return ("wrong_key", f"the record's key is not {command.key!r}")
    if len(command.stream) > LONGEST or len(command.key) > LONGEST:
        return ("too_long", f"ids may have {LONGEST} characters at the most")
    if not (command.stream.isprintable() and message.correlation.isprintable()):
        return ("unprintable", "ids must not contain control characters")
    return None


def _told(text: str) -> str:
    """As it can be stored and indexed, whatever it is."""
    return text.replace("\x00", "�")[:LONGEST]
