r"""Text that Postgres cannot hold, found in raw JSON: `\u0000` and lone surrogates."""

import re

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def unfit(value: bytes) -> str | None:
    """Say why this JSON text cannot be stored, or None when it can. Does not parse it."""
    try:
        text = value.decode()
    except UnicodeDecodeError as wrong:
        return f"not UTF-8 at byte {wrong.start}"
    if "\0" in text:
        return "contains the character U+0000"
    return _escaped(text) if "\\u" in text else None


def _escaped(text: str) -> str | None:
    high_ends_at = None
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else None
        if high_ends_at is not None:
            if escape.start() != high_ends_at or code is None or not 0xDC00 <= code <= 0xDFFF:
                return f"contains half a surrogate pair at character {high_ends_at - 6}"
            high_ends_at = None
        elif code is not None:
            if code == 0:
                return "contains the character U+0000"
            if 0xDC00 <= code <= 0xDFFF:
                return f"contains half a surrogate pair at character {escape.start()}"
            if 0xD800 <= code <= 0xDBFF:
                high_ends_at = escape.end()
    if high_ends_at is None:
        return None
    return f"contains half a surrogate pair at character {high_ends_at - 6}"
