"""Any record becomes an event that fits HTTP headers, and a dead letter that reads the same."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.event import FAILURE, PLAIN, delivered, failed, read


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int = 0
    topic: str = "partner.orders"
    partition: int = 1
    offset: int = 7


NAMES = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_x", "ce_x-y",
         "ce_datacontenttype", "content-type", "Content-Type", "X_y"]  # fmt: skip
STRUCTURED = [
    b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":[1],"n":1,"b":true,"z":null}',
    b'{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"e30="}',
    b'{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"?"}',
    b'{"id":1}', b"[]", b"{",
]  # fmt: skip
headers = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(NAMES), st.text(max_size=8)),
        st.one_of(
            st.none(),
            st.binary(max_size=12),
            st.sampled_from([b"1.0", b"application/cloudevents+json", b"a\r\nb: c"]),
        ),
    ),
    max_size=12,
)
records = st.builds(
    Record,
    st.none() | st.binary(max_size=8),
    st.one_of(st.none(), st.binary(max_size=30), st.sampled_from(STRUCTURED)),
    headers,
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.just("partner.orders"),
    st.just(1),
    st.just(7),
)


@settings(deadline=None)
@given(records)
def test_any_record_fits_http(record: Record):
    event = delivered(record, "/kafkasources/a")
    for name, text in event.http_headers().items():
        assert f"{name}: {text}".isascii()
        assert f"{name}: {text}".isprintable()
    assert event.attributes["knativekafkaoffset"] == "7"


@settings(deadline=None)
@given(records, st.binary(max_size=2000))
def test_a_dead_letter_is_the_event_again(record: Record, body: bytes):
    event = delivered(record, "/kafkasources/a")
    letter = failed(event, "http://there/events", 422, body, "why")
    key, value, told = letter.record()
    again = read(told, value)
    assert again is not None
    assert again == letter
    assert again.without(FAILURE) == event.without(FAILURE)
    assert len(letter.attributes["knativeerrordata"] if body else "") <= 1368
    assert key == event.attributes.get("partitionkey", "").encode()


def test_what_only_looks_like_a_whole_event_stays_what_it_is():
    """Its data named so would be read in place of its attributes, by who takes it next."""
    binary = [("ce_specversion", b"1.0"), ("ce_id", b"2"), ("ce_source", b"s"), ("ce_type", b"t")]
    kind = b"application/cloudevents+json"
    for told in ([("Content-Type", kind)], [*binary, ("ce_datacontenttype", kind)]):
        event = delivered(Record(None, STRUCTURED[0], [*told]), "/a")
        assert event.attributes["id"] != "1"
        assert "Content-Type" not in event.http_headers()
        _, value, headers = failed(event, "http://there", 422, b"", "").record()
        again = read(headers, value)
        assert again is not None
        assert again.attributes["knativeerrordest"] == "http://there"


def test_a_structured_record_is_the_same_as_a_binary_one():
    [whole, coded, *wrong] = [
        delivered(Record(None, value, [("content-type", b"application/cloudevents+json")]), "/a")
        for value in STRUCTURED
    ]
    assert (whole.attributes["id"], whole.data) == ("1", b"[1]")
    assert (whole.attributes["n"], whole.attributes["b"]) == ("1", "true")
    assert "z" not in whole.attributes
    assert coded.data == b"{}"
    assert {event.attributes["type"] for event in wrong} == {PLAIN}
