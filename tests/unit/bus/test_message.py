"""A message is a CloudEvent in binary mode: what we write the SDK reads, and vice versa."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bus.message import API, OWN, RELAY, STANDARD, Message, NotAMessage

TIME = datetime(2026, 11, 21, 10, 30, 0, 250_000, tzinfo=UTC)


def message(**changes: object) -> Message:
    plain = Message(
        id=uuid4(),
        type="quire.order.place",
        source=API,
        time=TIME,
        key="o-1",
        subject="order-o-1",
        correlation="o-1",
        causation=None,
        data=b'{"order_id":"o-1"}',
    )
    return replace(plain, **changes)


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
messages = st.builds(
    Message,
    id=st.uuids(),
    type=text,
    source=st.just(RELAY),
    time=st.datetimes(timezones=st.just(UTC)),
    key=text,
    subject=text,
    correlation=text,
    causation=st.none() | st.uuids(),
    data=st.just(b'{"a":1}'),
    prev=st.none() | st.uuids(),
    position=st.none() | st.integers(min_value=1, max_value=2**60),
    extensions=st.just(()),
)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1).filter(
    lambda name: name not in STANDARD | OWN
)


@given(messages)
def test_a_record_gives_back_the_message_that_was_written(written: Message):
    read = Message.from_record(written.key.encode(), written.data, written.headers())
    assert read == written


@given(messages, st.dictionaries(names, text, max_size=3))
def test_attributes_of_others_travel_along(written: Message, others: dict[str, str]):
    """Who reads a record leaves them; what was written down goes out again with them."""
    whole = replace(written, extensions=tuple(others.items()))
    headers = whole.headers()
    assert Message.from_record(written.key.encode(), written.data, headers) == written
    assert Message.written(written.key, written.data, headers) == whole


@given(messages)
def test_the_sdk_reads_what_we_write(written: Message):
    event = from_binary_event(
        KafkaMessage(dict(written.headers()), written.key.encode(), written.data)
    )
    assert event.get_id() == str(written.id)
    assert event.get_type() == written.type
    assert event.get_source() == written.source
    assert event.get_time() == written.time
    assert event.get_subject() == written.subject
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == {"a": 1}
    assert event.get_extension("partitionkey") == written.key
    assert event.get_extension("correlation") == written.correlation
    named = (event.get_extension("causation"), event.get_extension("prev"))
    assert named == tuple(
        None if id is None else str(id) for id in (written.causation, written.prev)
    )


def test_we_read_what_the_sdk_writes():
    causation, prev = uuid4(), uuid4()
    event = CloudEvent(
        {
            "id": str(UUID(int=7)),
            "type": "quire.order.place",
            "source": RELAY,
            "time": TIME,
            "subject": "order-o-1",
            "datacontenttype": "application/json",
            "partitionkey": "o-1",
            "correlation": "o-1",
            "causation": str(causation),
            "prev": str(prev),
        },
        {"order_id": "o-1"},
    )
    record = to_binary_event(event, JSONFormat())
    assert isinstance(record.key, str)
    read = Message.from_record(record.key.encode(), record.value, list(record.headers.items()))
    assert read == message(
        id=UUID(int=7), source=RELAY, causation=causation, prev=prev, data=read.data
    )


@pytest.mark.parametrize(
    "name", ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject"]
)
def test_a_record_without_a_required_header_is_none_of_ours(name: str):
    headers = [pair for pair in message().headers() if pair[0] != name]
    with pytest.raises(NotAMessage, match=name):
        Message.from_record(b"o-1", b"{}", headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"17"),
        ("ce_specversion", b"0.3"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-21T10:30:00"),
        ("ce_type", b"\xff"),
        ("ce_causation", b"nobody"),
        ("ce_position", b"first"),
    ],
)
def test_a_record_with_a_bad_header_is_none_of_ours(name: str, value: bytes):
    headers = [*message().headers(), (name, value)]
    with pytest.raises(NotAMessage):
        Message.from_record(b"o-1", b"{}", headers)


def test_a_record_without_key_or_value_is_none_of_ours():
    with pytest.raises(NotAMessage):
        Message.from_record(None, b"{}", message().headers())
    with pytest.raises(NotAMessage):
        Message.from_record(b"o-1", None, message().headers())
    with pytest.raises(NotAMessage):
        Message.from_record(b"\xff", b"{}", message().headers())


def test_only_the_relay_names_a_message_before_it():
    foreign = message(source=API, prev=uuid4())
    with pytest.raises(NotAMessage, match="before"):
        Message.from_record(b"o-1", b"{}", foreign.headers())
