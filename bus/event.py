"""A CloudEvent on its way between Kafka and HTTP, in Knative's manner: read, posted, dead-lettered.

What is read here may be anybody's. Our own messages have a codec of their own (bus.message).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from bus.clients import Taken
from bus.message import Headers

PLAIN = "dev.knative.kafka.event"
REQUIRED = ("specversion", "id", "source", "type")
FAILURE = ("knativeerrordest", "knativeerrorcode", "knativeerrordata", "reason")
"""What a dead letter says of its failure; the last is what the header Kne-Reason became."""

PLACE = ("knativekafkapartition", "knativekafkaoffset")
LONGEST_ERROR = 1_024
STRUCTURED = "application/cloudevents+json"
_OF_EVENTS = "application/cloudevents"

_LATEST_MS = 253_402_300_799_999  # the end of the year 9999
_NAME = re.compile(r"[a-z0-9]+")
_UNSAFE = re.compile(r"[^a-z0-9]")
# All of printable ASCII but space, quotation mark and per cent, as the HTTP binding says.
_SAFE = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")


class Event(NamedTuple):
    """Attributes in order, and the data as they are; `content_type` is datacontenttype."""

    attributes: Mapping[str, str]
    content_type: str
    data: bytes

    def with_attributes(self, more: Mapping[str, str]) -> "Event":
        return self._replace(attributes={**self.attributes, **more})

    def without(self, names: Iterable[str]) -> "Event":
        gone = set(names)
        left = {name: text for name, text in self.attributes.items() if name not in gone}
        return self._replace(attributes=left)

    def in_short(self) -> "Event":
        """Without its data, and without extensions beyond those that tell of its way; texts cut."""
        told = (*REQUIRED, *PLACE, *FAILURE)
        kept = {
            name: self.attributes[name][:LONGEST_ERROR] for name in told if name in self.attributes
        }
        return Event(kept, "", b"")

    def http_headers(self) -> dict[str, str]:
        """For a request in binary mode; each value fits a header, whatever it is."""
        kind = self.content_type
        if not (kind.isascii() and kind.isprintable()):
            kind = "application/octet-stream"
        told = {"Content-Type": kind} if kind else {}
        told |= {f"ce-{name}": quote(text, safe=_SAFE) for name, text in self.attributes.items()}
        return told

    def record(self) -> tuple[bytes, bytes, Headers]:
        """Key, value and headers of a record in binary mode."""
        headers = [(f"ce_{name}", text.encode()) for name, text in self.attributes.items()]
        if self.content_type:
            headers.append(("content-type", self.content_type.encode()))
        return self.attributes.get("partitionkey", "").encode(), self.data, headers


def delivered(record: Taken, source: str) -> Event:
    """The event that KafkaSource makes of a record; a record that is none becomes a plain one.

    `source` is the address of who delivers it, without the topic.
    """
    event = read(record.headers, record.value) or _plain(record, source)
    return event.with_attributes(
        {
            PLACE[0]: str(record.partition),
            PLACE[1]: str(record.offset),
        }
    )


def read(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Event | None:
    """The CloudEvent of a record in binary or structured mode; None when it is none."""
    told = {name: (text or b"").decode(errors="replace") for name, text in headers}
    kind = told.get("content-type", "")
    if kind.startswith(STRUCTURED) and (event := _structured(value or b"")) is not None:
        return event
    attributes = {name[3:]: text for name, text in told.items() if name.startswith("ce_")}
    if not _is_sound(attributes):
        return None
    kind = attributes.pop("datacontenttype", "") or kind
    return Event(attributes, _of_data(kind), value or b"")


def failed(event: Event, address: str, code: int, body: bytes, reason: str) -> Event:
    """The event as it goes to the dead letters; `code` is -1 when there was no answer."""
    data = b64encode(body[:LONGEST_ERROR]).decode()
    values = (address, str(code), data, reason)
    found = zip(FAILURE, values, strict=True)
    return event.without(FAILURE).with_attributes({name: value for name, value in found if value})


def _plain(record: Taken, source: str) -> Event:
    attributes = {
        "specversion": "1.0",
        "id": f"partition:{record.partition}/offset:{record.offset}",
        "source": f"{source}#{record.topic}",
        "type": PLAIN,
        "subject": f"partition:{record.partition}#{record.offset}",
        "time": _time(record.timestamp),
    }
    if record.key is not None:
        attributes["partitionkey"] = attributes["key"] = record.key.decode(errors="replace")
    kind = ""
    for name, text in record.headers:
        told = (text or b"").decode(errors="replace")
        if name.lower() == "content-type":
            kind = told.lower()
        else:
            attributes[f"kafkaheader{_UNSAFE.sub('', name.lower())}"] = told
    return Event(attributes, _of_data(kind), record.value or b"")


def _time(milliseconds: int) -> str:
    """The producer chose it, so it may be any number."""
    since_1970 = timedelta(milliseconds=min(max(milliseconds, 0), _LATEST_MS))
    told = (datetime(1970, 1, 1, tzinfo=UTC) + since_1970).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def _structured(value: bytes) -> Event | None:
    try:
        found = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        data = bytes(found.pop("data", b""))
        coded: Any = msgspec.json.decode(found.pop("data_base64", b'""'))
        attributes = {
            name: text if isinstance(text, str) else bytes(raw).decode()
            for name, raw in found.items()
            if (text := msgspec.json.decode(raw)) is not None
        }
        data = data or b64decode(coded, validate=True)
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError):
        return None
    if not _is_sound(attributes):
        return None
    kind = attributes.pop("datacontenttype", "application/json")
    return Event(attributes, _of_data(kind), data)


def _of_data(kind: str) -> str:
    """None where it names a whole event: on its way on, the data would be taken for that."""
    return "" if kind.lower().startswith(_OF_EVENTS) else kind


def _is_sound(attributes: Mapping[str, str]) -> bool:
    return all(attributes.get(name) for name in REQUIRED) and all(
        _NAME.fullmatch(name) for name in attributes
    )
