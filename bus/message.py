"""A message as it stands on Kafka: a CloudEvent in binary mode, read and written by hand.

The CloudEvents SDK takes ten times as long; a test holds the two against each other, both ways.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

RELAY = "quire/relay"
API = "quire/api"
TIMERS = "quire/timers"
INTAKE = "quire/intake"
BENCH = "quire/bench"
OPERATOR = "quire/operator"

Headers = list[tuple[str, bytes]]

STANDARD = frozenset({"specversion", "id", "type", "source", "time", "subject"})
OWN = frozenset({"partitionkey", "correlation", "causation", "prev", "position"})
"""The attributes that CloudEvents defines, and those by which our own messages hang together."""

_JSON = ("content-type", b"application/json")
_VERSION = ("ce_specversion", b"1.0")

# Ids and times as JSON writes them are the texts that we want, and msgspec is five times as quick
# as str(UUID) and isoformat().
_encode = msgspec.json.Encoder().encode
_decode_id = msgspec.json.Decoder(UUID).decode


class NotAMessage(Exception):
    """The record is not one that Quire writes; says what is wrong with it."""


class Message(Struct, frozen=True, gc=False):
    """A command or a fact on its way.

    `key` is the record's key, `subject` the stream. `prev` is the id of the command that the relay
    sent before this one into the same partition; nobody else names one, and the relay itself names
    none with the first command of a partition after a set-back. `position` is a fact's place in
    the log; commands have none. `extensions` are attributes of others that travel along; who reads
    a record leaves them where they are.
    """

    id: UUID
    type: str
    source: str
    time: datetime
    key: str
    subject: str
    correlation: str
    causation: UUID | None
    data: bytes
    prev: UUID | None = None
    position: int | None = None
    extensions: tuple[tuple[str, str], ...] = ()

    def headers(self) -> Headers:
        """Everything but the record's key and value."""
        headers = [
            _JSON,
            _VERSION,
            ("ce_id", _encode(self.id)[1:-1]),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", _encode(self.time)[1:-1]),
            ("ce_subject", self.subject.encode()),
            ("ce_partitionkey", self.key.encode()),
            ("ce_correlation", self.correlation.encode()),
        ]
        if self.causation is not None:
            headers.append(("ce_causation", _encode(self.causation)[1:-1]))
        if self.prev is not None:
            headers.append(("ce_prev", _encode(self.prev)[1:-1]))
        if self.position is not None:
            headers.append(("ce_position", b"%d" % self.position))
        for name, value in self.extensions:
            headers.append((f"ce_{name}", value.encode()))
        return headers

    @staticmethod
    def written(record_key: str, data: bytes, headers: Headers) -> "Message":
        """The very message that was written down as these, with its extensions."""
        read = Message.from_record(record_key.encode(), data, headers)
        others = (
            (name[3:], text.decode())
            for name, text in headers
            if name.startswith("ce_") and name[3:] not in STANDARD | OWN
        )
        return replace(read, extensions=tuple(others))

    @staticmethod
    def from_record(
        key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
    ) -> "Message":
        """Read a record; raises NotAMessage."""
        if key is None or value is None:
            raise NotAMessage("a record needs a key and a value")
        try:
            return _read(key.decode(), value, {name: text or b"" for name, text in headers})
        except KeyError as missing:
            raise NotAMessage(f"the header {missing.args[0]} is missing") from missing
        except (ValueError, msgspec.DecodeError) as wrong:
            raise NotAMessage(str(wrong)) from wrong


def _read(key: str, value: bytes, found: dict[str, bytes]) -> Message:
    if found["ce_specversion"] != b"1.0":
        raise NotAMessage("only version 1.0 of CloudEvents is read")
    causation, prev = found.get("ce_causation"), found.get("ce_prev")
    position = found.get("ce_position")
    source = found["ce_source"].decode()
    if prev is not None and source != RELAY:
        raise NotAMessage(f"{source} names a message before it; only {RELAY} may")
    time = datetime.fromisoformat(found["ce_time"].decode())
    if time.tzinfo is None:
        raise NotAMessage("the time has no zone")
    return Message(
        id=_id(found["ce_id"]),
        type=found["ce_type"].decode(),
        source=source,
        time=time,
        key=key,
        subject=found["ce_subject"].decode(),
        correlation=found["ce_correlation"].decode(),
        causation=None if causation is None else _id(causation),
        data=value,
        prev=None if prev is None else _id(prev),
        position=None if position is None else int(position),
    )


def _id(text: bytes) -> UUID:
    return _decode_id(b'"%b"' % text)
