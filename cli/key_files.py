"""Files with keys: what we wrote may be written anew, what a person wrote stays as it is."""

import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

import msgspec

from cli.output import Failure

PRIVATE = 0o600
READABLE = 0o644
NOTE = ".made-by-quire"
"""In each directory: the names of what we wrote there, with the SHA-256 of the contents. A secret
as well: who knows the sum of a person's own short password can look for what fits it."""

_PASSWORD = re.compile(r"[A-Za-z0-9_-]{32}")


class KeyFiles:
    """The files of one run; `made` are those it wrote, `kept` those that somebody else wrote, and
    `narrowed` those that were there and fewer people can read now."""

    def __init__(self) -> None:
        self.made: list[Path] = []
        self.kept: list[Path] = []
        self.narrowed: list[Path] = []

    def password(self, path: Path, mode: int) -> str:
        """The password in it, without the end of its line; made when there is none."""
        text = text_of(path)
        if text is None:
            text = token_urlsafe(24)
            self.write(path, text, mode)
        elif _PASSWORD.fullmatch(text):
            self.adopt(path, mode)
        return text.strip()

    def follows(
        self, path: Path, text: str, mode: int, ours: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Write what follows from other files, unless a person wrote something else there.

        `ours` knows what an earlier Quire wrote, which took no note of it.
        """
        there = text_of(path)
        if there is None or (there != text and (self.is_ours(path) or ours(there))):
            self.write(path, text, mode)
        elif there != text:
            self.kept.append(path)
        else:
            self.adopt(path, mode)

    def is_ours(self, path: Path) -> bool:
        """Whether it holds what we wrote there."""
        text = text_of(path)
        return text is not None and _note(path.parent).get(path.name) == _sum(text)

    def write(self, path: Path, text: str, mode: int) -> None:
        """Write it whole or not at all, never readable for more people than `mode` says."""
        with _told(path):
            narrows = path.is_file() and bool(path.stat().st_mode & 0o777 & ~mode)
        self._put(path, text, mode)
        self._remember(path, text)
        if narrows:
            self.narrowed.append(path)
        self.made.append(path)

    def adopt(self, path: Path, mode: int) -> None:
        """Take it for ours: an earlier Quire wrote it, took no note of that, and let everybody read
        it. From then on its mode is a person's choice."""
        text = text_of(path)
        if text is None or self.is_ours(path):
            return
        with _told(path):
            if mode != READABLE and path.stat().st_mode & 0o777 == READABLE:
                path.chmod(mode)
                self.narrowed.append(path)
        self._remember(path, text)

    def _remember(self, path: Path, text: str) -> None:
        note = _note(path.parent) | {path.name: _sum(text)}
        encoded = msgspec.json.format(msgspec.json.encode(note, order="sorted"))
        self._put(path.parent / NOTE, f"{encoded.decode()}\n", PRIVATE)

    def _put(self, path: Path, text: str, mode: int) -> None:
        part = path.with_name(f"{path.name}.part")
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
            with os.fdopen(made, "w") as stream:
                stream.write(text)
                os.fchmod(stream.fileno(), mode)
            part.replace(path)


def text_of(path: Path) -> str | None:
    """What is in it; None where there is no such file."""
    with _told(path, "read"):
        return path.read_text() if path.is_file() else None


@contextmanager
def _told(path: Path, what: str = "written") -> Generator[None]:
    """Says which file it was that could not be read or written."""
    try:
        yield
    except OSError as fault:
        why = f"{path} cannot be {what}: {fault.strerror}"
        if what == "read":
            hint = "Be the user who made the files, or let yourself read them."
            raise Failure("not_readable", why, hint=hint) from fault
        hint = "Name directories that you may write to."
        raise Failure("not_writable", why, hint=hint) from fault


def _note(directory: Path) -> dict[str, str]:
    """Empty where it is torn too: what we wrote can still be told by its contents."""
    try:
        return msgspec.json.decode(text_of(directory / NOTE) or "{}", type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def _sum(text: str) -> str:
    return sha256(text.encode()).hexdigest()
