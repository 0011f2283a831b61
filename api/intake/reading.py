"""From an HTTP request to events: CloudEvents in binary, structured and batched mode, by the SDK.

The SDK makes up what is missing and reads version 0.3 too; both are refused here.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import quote

import msgspec
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.problems import Problem, not_storable
from api.storable import storable

MOST_EVENTS = 1_000
LONGEST_BYTES = 1_000  # of an id or a source: both stand in an index
LONGEST_EXTENSION = 1_000
MOST_EXTENSIONS = 40

DISPATCHER = "kn-namespace"
"""The header by which Knative's dispatchers are known. They write attributes as they stand, not
percent-encoded as the HTTP binding says; that of Kafka writes ? for what is beyond Latin-1."""

PLACE = "knativekafkaoffset"

REQUIRED = ("specversion", "id", "source", "type")
OPTIONAL = ("subject", "time", "datacontenttype", "dataschema")
SDK_FAULTS = (
    BaseCloudEventException, ValueError, TypeError, AttributeError, LookupError, ArithmeticError
)  # fmt: skip
"""What the SDK raises for attributes of any type; the last four come from its date parser."""

_JSON = re.compile(r"^(application|text)/([a-z0-9.+-]+\+)?json$")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # where none is told; the SDK would take now


class Received(NamedTuple):
    """An event as it came; `data` is its JSON, or None when there is none."""

    id: str
    source: str
    type: str
    subject: str
    extensions: dict[str, str]
    data: Any
    time: datetime = _LONG_AGO


class _Bytes(JSONFormat):
    """Leaves the body of a request alone: the SDK's own reader gives up without a word."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes | None:
        return body or None


def events_of(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> list[Received]:
    """All events of a request, in order; raises a Problem with 400, 415 or 422."""
    told = {name.decode("latin-1"): _text(value) for name, value in headers}
    kind, _, parameters = told.get("content-type", "").lower().partition(";")
    kind = kind.strip()
    if "charset" in parameters and "utf-8" not in parameters:
        raise _unsupported(f"the charset of {kind} has to be utf-8")
    if kind == "application/cloudevents-batch+json":
        return [_structured(item) for item in _items(body)]
    if kind in {"application/cloudevents", "application/cloudevents+json"}:
        return [_structured(_decoded(body))]
    if kind.startswith("application/cloudevents"):
        raise _unsupported(f"{kind[:100]} is not read here")
    if any(name.startswith("ce-") for name in told):
        return [_binary(told, kind, body)]
    raise Problem(
        400,
        "not_an_event",
        "the request is no CloudEvent: it has neither ce- headers nor its content type",
        hint="Send ce-specversion, ce-id, ce-source and ce-type, or application/cloudevents+json.",
    )


def _binary(headers: dict[str, str], kind: str, body: bytes) -> Received:
    if kind and not _JSON.match(kind):
        raise _unsupported(f"{kind[:100]} is not read here")
    told = _encoded(headers) if DISPATCHER in headers else headers
    event = _by_the_sdk(lambda: from_binary(HTTPMessage(told, body), _Bytes(), _strict))
    data = event.get_data()
    return _received(event, _decoded(data) if isinstance(data, bytes) else None)


def _encoded(headers: dict[str, str]) -> dict[str, str]:
    return {name: quote(text) if name.startswith("ce-") else text for name, text in headers.items()}


def _structured(item: object) -> Received:
    if not _is_object(item):
        raise Problem(400, "event_not_valid", "an event has to be a JSON object")
    known = {name: value for name, value in item.items() if value is not None}
    kind = known.get("datacontenttype", "application/json")
    if not isinstance(kind, str) or not _JSON.match(kind.lower().partition(";")[0].strip()):
        raise _unsupported("the data of an event have to be JSON")
    text = msgspec.json.encode(known)
    event = _by_the_sdk(lambda: JSONFormat().read(_strict, text))
    data: Any = event.get_data()
    return _received(event, _decoded(data) if isinstance(data, bytes) else data)


def _items(body: bytes) -> list[Any]:
    items = _decoded(body)
    if not _is_array(items):
        raise Problem(400, "event_not_valid", "a batch has to be a JSON array")
    if len(items) > MOST_EVENTS:
        raise Problem(422, "batch_too_large", f"a batch may hold {MOST_EVENTS} events")
    return items


def _is_array(items: object) -> TypeGuard[list[Any]]:
    return isinstance(items, list)


def _is_object(item: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(item, dict)


def _by_the_sdk(read: Any) -> BaseCloudEvent:
    try:
        return read()
    except SDK_FAULTS as wrong:
        raise Problem(400, "event_not_valid", f"not a CloudEvent: {str(wrong)[:500]}") from wrong


def _strict(attributes: dict[str, Any], data: Any) -> CloudEvent:
    """The SDK's event, when nothing is missing that the SDK would make up."""
    for name in REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"the attribute {name} is missing")
    attributes.setdefault("time", _LONG_AGO)
    return CloudEvent(attributes, data)


def _received(event: BaseCloudEvent, data: Any) -> Received:
    extensions = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in event.get_attributes().items()
        if name not in REQUIRED and name not in OPTIONAL and isinstance(value, str | int)
    }
    texts = [event.get_id(), event.get_source(), event.get_type(), *extensions.values()]
    if not all(map(storable, texts)):
        raise not_storable("event")
    _refuse_too_long(event, extensions)
    if PLACE in extensions:
        _refuse_garbled(event)
    return Received(
        event.get_id(),
        event.get_source(),
        event.get_type(),
        event.get_subject() or "",
        extensions,
        data,
        event.get_time() or _LONG_AGO,
    )


def _refuse_too_long(event: BaseCloudEvent, extensions: dict[str, str]) -> None:
    for name, value in (("id", event.get_id()), ("source", event.get_source())):
        if len(value.encode()) > LONGEST_BYTES:
            raise Problem(
                422, "attribute_too_long", f"the {name} is longer than {LONGEST_BYTES} bytes"
            )
    long = [name for name, value in extensions.items() if len(value) > LONGEST_EXTENSION]
    if long or len(extensions) > MOST_EXTENSIONS:
        raise Problem(
            422,
            "attribute_too_long",
            f"an event may have {MOST_EXTENSIONS} extensions of {LONGEST_EXTENSION} characters",
        )


def _refuse_garbled(event: BaseCloudEvent) -> None:
    """Two events of a partner could be taken for one: `?????` may have been any word."""
    if "?" in event.get_id() or "??" in event.get_source():
        raise Problem(
            422,
            "id_garbled",
            "the id or the source has ? in it, which Knative writes for what is beyond Latin-1",
            hint="Choose ids and sources of ASCII for events that come by Kafka.",
        )


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Problem(422, "data_not_json", f"not JSON: {wrong}") from wrong


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _unsupported(detail: str) -> Problem:
    return Problem(
        415,
        "content_type_not_supported",
        detail,
        hint="Send JSON: application/json, application/cloudevents+json or its batch.",
    )
