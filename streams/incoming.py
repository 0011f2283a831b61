"""A record as the engine reads it: the command, or why there is none."""

from uuid import UUID

from msgspec import Struct

from bus.message import RELAY, TIMERS, Message, NotAMessage
from domain.ids import derive
from domain.message import Command
from domain.placement import LONGEST, misplaced
from store.codec import BadData, UnknownType, decode_command
from store.parked import NUDGE, Parked
from streams.context import Record

OURS = frozenset({RELAY, TIMERS})


class Incoming(Struct):
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
    headers: list[tuple[str, bytes]] = record.headers or []
    place = (record.partition, record.offset)
    try:
        message = Message.from_record(record.key, record.value, headers)
    except NotAMessage as error:
        # A record without an id of ours is named after its place.
        id = derive(0, f"record|{topic}|{place[0]}|{place[1]}")
        key = (record.key or b"").decode(errors="replace")
        return Incoming(
            *place, id, _told(key), "", headers, record.value, problem=("not_a_message", str(error))
        )
    return _understood(message, place, headers, context)


def read_parked(row: Parked, context: str) -> Incoming:
    """Reads a parked message again."""
    headers = row.record_headers
    try:
        message = Message.from_record(row.key.encode(), row.body, headers)
    except NotAMessage as error:
        incoming = Incoming(row.partition, -1, row.command_id, row.key, "", headers, row.body)
        incoming.give_up("not_a_message", str(error))
    else:
        incoming = _understood(message, (row.partition, -1), headers, context)
    incoming.id, incoming.parked = row.command_id, row
    return incoming


def _understood(
    message: Message, place: tuple[int, int], headers: list[tuple[str, bytes]], context: str
) -> Incoming:
    incoming = Incoming(
        *place, message.id, _told(message.key), _told(message.type), headers, message.data, message
    )
    if message.type == NUDGE:
        return incoming
    try:
        ours = message.source in OURS
        command = decode_command(message.type, message.data, ours=ours)
    except UnknownType:
        incoming.problem = ("unknown_kind", f"no command is called {message.type}")
    except BadData as error:
        incoming.problem = ("bad_data", str(error))
    else:
        told = (message.correlation, message.source)
        incoming.problem = misplaced(command, context, message.key, message.time, told)
        incoming.command = None if incoming.problem else command
    return incoming


def _told(text: str) -> str:
    """As it can be stored and indexed, whatever it is."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST]
