"""A parked message as people read it: what can be decoded is, what is sealed stays sealed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from store.parked import Parked, load_headers
from store.unparking import Unparked


def shown(row: Parked, *, payload: bool = True) -> dict[str, Any]:
    """A message that is parked; an edit that waits for its turn stands in `edit`."""
    told = row._asdict()
    return {**_readable(told, payload=payload), **_edit(row, payload=payload)}


def past(row: Unparked, *, payload: bool = False) -> dict[str, Any]:
    """A message that somebody moved, as it was parked."""
    return _readable(row._asdict(), payload=payload)


def _readable(row: dict[str, Any], *, payload: bool) -> dict[str, Any]:
    body, headers = row.pop("body"), row.pop("headers")
    for name in ("edit_headers", "edit_body"):
        row.pop(name, None)
    if payload:
        row |= {"headers": _headers(headers), "body": _decoded(body)}
    return row


def _edit(row: Parked, *, payload: bool) -> Mapping[str, Any]:
    if not payload or row.edit_headers is None:
        return {}
    return {"edit": {"headers": _headers(row.edit_headers), "body": _decoded(row.edit_body)}}


def _headers(text: str) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in load_headers(text)}


def _decoded(body: bytes | None) -> Any:
    """JSON as what it says, else the text, with a mark for what is none."""
    if body is None:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")
