"""The file of `--rejects`: one JSON line for each line of the import, or part of one, left out."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cli.importing.reader import Reject


class RejectFile:
    """Written before its batch is committed: after a crash it holds too much, never too little."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def keep(self, position: int, ends: Mapping[str, int]) -> None:
        """Start anew, or keep what belongs to the lines that are imported already."""
        if self._path is None:
            return
        before = self._path.read_bytes() if position and self._path.is_file() else b""
        kept = [
            line
            for line in before.splitlines(keepends=True)
            if line.endswith(b"\n") and _end(msgspec.json.decode(line), ends) <= position
        ]
        self._path.write_bytes(b"".join(kept))

    def write(self, rejects: Iterable[Reject]) -> None:
        if self._path is None:
            return
        with self._path.open("ab") as file:
            for reject in rejects:
                file.write(
                    msgspec.json.encode(
                        {
                            "line": reject.number,
                            "invoice": reject.invoice,
                            "code": reject.code,
                            "reason": reject.reason,
                            "units": reject.units,
                            "amount_minor": reject.amount_minor,
                            "unreadable": reject.unreadable,
                        }
                    )
                    + b"\n"
                )


def _end(record: dict[str, Any], ends: Mapping[str, int]) -> int:
    """Say at which line the batch could hold it: a readable line waits for its invoice's end."""
    line: int = record["line"]
    return line if record["unreadable"] else ends.get(record["invoice"], line)
