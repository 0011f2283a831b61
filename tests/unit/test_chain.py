"""A fact's hash is that of bytes anybody can build by hand, and every field is among them."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from store.chain import link

AT = datetime(2000, 1, 1, 0, 0, 1, 2, tzinfo=UTC)
FACT: dict[str, Any] = {
    "stream": "stock-tüte",
    "version": 3,
    "type": "quire.stock.received.v1",
    "id": UUID(int=5),
    "occurred_at": AT - timedelta(seconds=2),
    "recorded_at": AT,
    "correlation": "tüte",
    "causation": UUID(int=6),
    "source": "quire/api",
    "imported": True,
    "data": b'{"sku":"t\xc3\xbcte"}',
}
BEFORE = bytes(range(32))
# Each line: the length in four bytes, then the field.
COVERED = (
    b"\0\0\0\x04" b"\0\0\0\x03"
    b"\0\0\0\x10" + bytes(15) + b"\x05"
    b"\0\0\0\x08" b"\xff\xff\xff\xff\xff\xf0\xbd\xc2"  # -999,998 microseconds
    b"\0\0\0\x08" b"\0\0\0\0\0\x0f\x42\x42"
    b"\0\0\0\x10" + bytes(15) + b"\x06"
    b"\0\0\0\x01" b"\x01"
    b"\0\0\0\x17quire.stock.received.v1"
    b"\0\0\0\x0bstock-t\xc3\xbcte"
    b"\0\0\0\x05t\xc3\xbcte"
    b"\0\0\0\x09quire/api"
    b"\0\0\0\x0f" b'{"sku":"t\xc3\xbcte"}'
)  # fmt: skip


def test_the_hash_is_that_of_the_previous_one_and_the_fields_behind_their_lengths():
    assert link(BEFORE, **FACT) == sha256(BEFORE + COVERED).digest()
    assert link(b"", **FACT) == sha256(COVERED).digest()


def test_a_moment_has_one_hash_wherever_it_is_told():
    east = timezone(timedelta(hours=9))
    there: dict[str, Any] = FACT | {"recorded_at": AT.astimezone(east)}
    assert link(BEFORE, **there) == link(BEFORE, **FACT)


@pytest.mark.parametrize(
    "changed",
    [
        {"stream": "stock-t"},
        {"version": 4},
        {"type": "quire.stock.adjusted.v1"},
        {"id": UUID(int=6)},
        {"occurred_at": AT},
        {"recorded_at": AT + timedelta(microseconds=1)},
        {"correlation": ""},
        {"causation": UUID(int=5)},
        {"source": "quire/apj"},
        {"imported": False},
        {"data": b"{}"},
        {"stream": "stock-tütet", "correlation": "üte"},
    ],
)
def test_every_field_counts(changed: dict[str, Any]):
    assert link(BEFORE, **(FACT | changed)) != link(BEFORE, **FACT)
