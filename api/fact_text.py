"""A fact as it is served."""

from typing import Any

import msgspec

from store.log import Recorded

_encode = msgspec.json.Encoder().encode


def public(recorded: Recorded) -> dict[str, Any]:
    """All of a fact, its data as they were hashed; what is personal in them is sealed."""
    return {
        "position": recorded.position,
        "stream": recorded.stream,
        "version": recorded.version,
        "type": recorded.type,
        "id": recorded.id,
        "time": recorded.occurred_at,
        "recorded_at": recorded.recorded_at,
        "correlation": recorded.correlation,
        "cause": recorded.causation,
        "source": recorded.source,
        "imported": recorded.imported,
        "data": msgspec.Raw(recorded.data),
    }


def text_of(recorded: Recorded) -> bytes:
    return _encode(public(recorded))
