"""The hash chain: each fact's hash covers the previous hash of its stream and its own bytes."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    """The fact's hash (32 bytes); `previous` is empty for the first of a stream.

    Canonical bytes: the previous hash, then one line of tab-separated fields (times as whole
    microseconds since 1970, ids as hex, imported as 0 or 1), a line feed, and the data as stored.
    No field but the data can hold a tab or a line feed, so two facts never share their bytes.
    """
    line = (
        f"{stream}\t{version}\t{type}\t{id.hex}\t{(occurred_at - _EPOCH) // _MICROSECOND}"
        f"\t{(recorded_at - _EPOCH) // _MICROSECOND}\t{correlation}\t{causation.hex}\t{source}"
        f"\t{imported:d}\n"
    )
    return sha256(previous + line.encode() + data).digest()
