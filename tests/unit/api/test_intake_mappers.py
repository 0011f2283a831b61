"""What partners send, whatever it is: something that we know, or a refusal that says why."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.intake.mappers import MAPPERS, OF_TOPIC, PLAIN, GoodsReceipt, Scan, asked
from api.intake.reading import Received, events_of
from api.intake.taking import origin_of
from api.problems import Problem
from api.wanted import Wanted

FINAL = (400, 415, 422)
WORDS = ["lines", "sku", "quantity", "tracking", "parcel_id", "status", "at", "payment_method",
         "contact", "email", "lost", "delivered", "2026-11-20T10:00:00Z", "0001-01-01T00:00:00Z",
         "9999-12-31T23:59:59-23:59", "reference", "o.1"]  # fmt: skip

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.binary(), texts
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=15,
)
lines = st.lists(
    st.dictionaries(st.sampled_from(["sku", "quantity", "x"]), st.one_of(anything, st.just(1))),
    max_size=3,
)
nearly = st.fixed_dictionaries(
    {},
    optional={
        "lines": st.one_of(lines, anything),
        "payment_method": st.one_of(texts, anything),
        "tracking": st.one_of(texts, anything),
        "parcel_id": texts,
        "status": texts,
        "at": st.one_of(texts, st.datetimes().map(lambda at: at.isoformat() + "+14:00")),
        "contact": anything,
    },
)
JSON = [
    b"application/json", b"application/cloudevents+json", b"application/cloudevents-batch+json"
]  # fmt: skip


def received(type: str, data: Any, **changes: Any) -> Received:
    return Received("x", "/kafkasources/a#partner.orders", type, "", {}, data)._replace(**changes)


@contextmanager
def refusals(*statuses: int) -> Generator[None]:
    """A Problem may come out, if it says that asking again is useless; nothing else may."""
    try:
        yield
    except Problem as problem:
        if problem.status not in statuses:
            raise


@settings(deadline=None)
@given(st.sampled_from(list(MAPPERS)), st.one_of(nearly, anything))
def test_any_data_are_a_wish_or_a_refusal(type: str, data: Any):
    with refusals(422):
        found = asked(received(type, data))
        assert isinstance(found, Wanted | Scan | GoodsReceipt)
        msgspec.json.encode(found)


@settings(deadline=None)
@given(
    st.sampled_from(JSON),
    st.dictionaries(
        st.sampled_from(
            [b"ce-id", b"ce-type", b"ce-source", b"ce-specversion", b"ce-time", b"ce-x"]
        ),
        st.one_of(st.sampled_from([b"1.0", b"partner.scan.v1"]), st.binary(max_size=20)),
    ),
    st.one_of(st.binary(max_size=50), anything.map(msgspec.json.encode)),
)
def test_any_request_is_read_or_refused(kind: bytes, headers: dict[bytes, bytes], body: bytes):
    with refusals(*FINAL):
        for each in events_of([(b"content-type", kind), *headers.items()], body):
            asked(each)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "time", "data", "data_base64",
                         "datacontenttype", "subject", "shop"]),
        st.one_of(anything, st.sampled_from(["1.0", "partner.scan.v1", "2026-11-20T10:00:00Z"])),
    ),
    st.booleans(),
)  # fmt: skip
def test_any_structured_event_is_read_or_refused(item: dict[str, Any], whole: bool):
    if whole:
        item = {"specversion": "1.0", "id": "1", "source": "/s", **item}
    body = msgspec.json.encode(item)
    with refusals(*FINAL):
        [found] = events_of([(b"content-type", b"application/cloudevents+json")], body)
        asked(found)


@settings(deadline=None)
@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_two_events_have_two_origins(one: tuple[str, str], other: tuple[str, str]):
    texts = [
        origin_of(received(kind, {}, source=source, id=f"{id}partition:1/offset:2")).text
        for kind in (PLAIN, "partner.scan.v1")
        for source, id in {one, other}
    ]
    places = {source.rpartition("#")[::2] for source, _ in {one, other}}
    assert len(set(texts)) == len({one, other}) + len(places)


@pytest.mark.parametrize("topic", OF_TOPIC)
def test_a_plain_record_is_known_by_its_topic(topic: str):
    id = {"source": f"/kafkasources/a#{topic}", "id": "partition:1/offset:2"}
    known = {
        "partner.orders": {"lines": [{"sku": "a", "quantity": 1}], "payment_method": "t"},
        "partner.scans": {"parcel_id": "o.1", "status": "lost", "at": "2026-11-20T10:00:00Z"},
        "partner.goods-receipts": {"lines": [{"sku": "a", "quantity": 1}]},
    }
    plainly = asked(received(PLAIN, known[topic], **id))
    assert plainly == asked(received(OF_TOPIC[topic], known[topic]))


def test_a_scan_without_an_id_is_known_by_what_it_says():
    def scan(at: str, **more: str) -> str:
        data = {"parcel_id": "o.1", "status": "lost", "at": at, **more}
        found = asked(received("partner.scan.v1", data))
        assert isinstance(found, Scan)
        assert found.at.tzinfo is not None
        assert found.at < datetime.now(UTC)
        return found.name

    assert scan("2026-11-20T10:00:00Z") == scan("2026-11-20T12:00:00+02:00")
    assert scan("2026-11-20T10:00:00Z") != scan("2026-11-20T10:00:01Z")
    assert scan("2026-11-20T10:00:00Z", scan_id="7") == "7"
