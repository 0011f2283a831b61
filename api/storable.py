"""Whether text can be kept: Postgres holds neither NUL nor lone surrogates."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes


def storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable_url(raw: bytes) -> bool:
    """For a path or a query as it came, still percent-encoded."""
    if b"%" not in raw and raw.isascii():
        return True
    try:
        return storable(unquote_to_bytes(raw).decode())
    except UnicodeDecodeError:
        return False


def storable_json(body: bytes) -> bool:
    """For a JSON document. What is no JSON at all is for others to refuse."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    if b"\\u" not in body:
        return True
    try:
        return all(storable(text) for text in _texts(json.loads(body)))
    except (ValueError, RecursionError):
        return True


def _texts(value: Any) -> Iterable[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):  # pyright: ignore[reportUnknownVariableType] anyone's JSON
                waiting.extend(items)  # pyright: ignore[reportUnknownArgumentType]
            case dict(fields):  # pyright: ignore[reportUnknownVariableType]
                yield from map(str, fields)  # pyright: ignore[reportUnknownArgumentType]
                waiting.extend(fields.values())  # pyright: ignore[reportUnknownArgumentType]
            case _:
                pass
