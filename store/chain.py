"""The hash chain: each fact's hash covers the previous hash of its stream and its own bytes.

A fact's own bytes are what Postgres itself sends of them, `copy (select {FIELDS} ...) to stdout
(format binary)`: of each field its length in four bytes, then the field, all numbers big-endian,
times as microseconds since 2000-01-01 UTC, text as UTF-8, the data as stored. Each length stands
before what it measures, so two facts never share their bytes; and who reads the whole log hashes
what comes over the wire, as it comes.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import LiteralString
from uuid import UUID

FIELDS: LiteralString = (
    "version, id, occurred_at, recorded_at, causation, imported, type, stream, correlation,"
    " source, data"
)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_fixed = Struct(">iii16siqiqi16si?").pack  # as far as imported, each behind its length
_length = Struct(">i").pack


def link(
    previous: bytes,
    stream: str,
    version: int,
    type: str,
    id: UUID,
    occurred_at: datetime,
    recorded_at: datetime,
    correlation: str,
    causation: UUID,
    source: str,
    imported: bool,
    data: bytes,
) -> bytes:
    """The fact's hash (32 bytes); `previous` is empty for the first of a stream."""
    stream_text, correlation_text = stream.encode(), correlation.encode()
    return sha256(
        b"".join((
            previous,
            _fixed(
                4, version, 16, id.int.to_bytes(16, "big"), 8, _microseconds(occurred_at),
                8, _microseconds(recorded_at), 16, causation.int.to_bytes(16, "big"), 1, imported,
            ),
            _name(type), _length(len(stream_text)), stream_text,
            _length(len(correlation_text)), correlation_text, _name(source),
            _length(len(data)), data,
        ))
    ).digest()  # fmt: skip


@lru_cache(1024)  # one moment is that of a whole batch
def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


@lru_cache(1024)  # there are as many as there are types and sources
def _name(name: str) -> bytes:
    text = name.encode()
    return _length(len(text)) + text
