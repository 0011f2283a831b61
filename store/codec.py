"""From stored text to facts and wishes, and back; old shapes are read through upcasters."""

from collections.abc import Callable
from typing import Any

import msgspec

from domain.catalog import COMMANDS, EVENTS
from domain.message import Command, Event

Data = dict[str, Any]

# An old shape's name -> (the name that it is read as, how its data become the new shape).
UPCASTERS: dict[str, tuple[str, Callable[[Data], Data]]] = {}

_encoder = msgspec.json.Encoder()
_events = {name: msgspec.json.Decoder(shape) for name, shape in EVENTS.items()}
_commands = {kind: msgspec.json.Decoder(shape) for kind, shape in COMMANDS.items()}


class UnknownType(Exception):
    """Nobody here knows a message of this name: the code is older than what it reads."""


class BadData(Exception):
    """The data are not of the shape that their name promises."""


def encode(message: Command | Event) -> bytes:
    """The one text of a message: hashed, stored and sent as it is."""
    return _encoder.encode(message)


def decode_event(type: str, data: bytes | str) -> Event:
    """The fact; raises UnknownType, BadData."""
    decoder = _events.get(type)
    if decoder is not None:
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadData(f"{type}: {error}") from error
    if type not in UPCASTERS:
        raise UnknownType(type)
    newer, upcast = UPCASTERS[type]
    return decode_event(newer, _encoder.encode(upcast(msgspec.json.decode(data))))


def decode_command(kind: str, data: bytes | str, *, ours: bool = False) -> Command:
    """The wish; raises UnknownType, BadData.

    A field that is unknown here is an error, unless the message is `ours`, the relay's or a
    timer's: then a newer process sent it during an upgrade, and it means what it means without.
    """
    decoder = _commands.get(kind)
    if decoder is None:
        raise UnknownType(kind)
    try:
        if ours:
            try:
                return decoder.decode(data)
            except msgspec.ValidationError:
                return decoder.decode(_known_alone(kind, data))
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadData(f"{kind}: {error}") from error


def _known_alone(kind: str, data: bytes | str) -> bytes:
    known = COMMANDS[kind].__struct_encode_fields__
    found = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    return _encoder.encode({name: found[name] for name in known if name in found})
