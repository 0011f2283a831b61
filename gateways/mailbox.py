"""The mail sink's box: one .eml file a message, read by its owner alone. Holds personal data."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct


class Mail(Struct, frozen=True):
    """A message as `quire mail` shows it; `times` is how often it came in."""

    id: str
    message_id: str
    to: str
    subject: str
    received_at: datetime
    times: int


class Mailbox:
    """One file a Message-ID: what comes again under the same is counted, not kept twice."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, content: bytes) -> str:
        """Write a message down; gives its id. What was seen under a name is always whole."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        id = _id(content)
        own = self._directory / f"{id}.{os.getpid()}.new"
        with _private(own, os.O_CREAT | os.O_TRUNC) as file:
            file.write(content)
        try:
            os.link(own, self._file(id))
        except FileExistsError:
            with _private(self._again(id), os.O_CREAT | os.O_APPEND) as file:
                file.write(f"{datetime.now(UTC).isoformat()}\n".encode())
        finally:
            own.unlink()
        return id

    def mails(self) -> list[Mail]:
        """All of them, newest first."""
        found = [self._mail(file) for file in self._files()]
        return sorted(found, key=lambda mail: mail.received_at, reverse=True)

    def held(self) -> dict[str, int]:
        """How often each came in, by id; no message is opened."""
        return {file.stem: self._times(file.stem) for file in self._files()}

    def find(self, id: str) -> tuple[Mail, EmailMessage] | None:
        """The one whose id begins so, or whose Message-ID is this."""
        wanted = id_of(id) if "@" in id else id
        for file in self._files():
            if wanted and file.stem.startswith(wanted):
                return self._mail(file), parse(file.read_bytes())
        return None

    def _files(self) -> Iterator[Path]:
        return self._directory.glob("*.eml") if self._directory.is_dir() else iter(())

    def _mail(self, file: Path) -> Mail:
        message = parse(file.read_bytes())
        return Mail(
            id=file.stem,
            message_id=str(message["Message-ID"] or ""),
            to=str(message["To"] or ""),
            subject=str(message["Subject"] or "").strip(),  # a long one may begin on the next line
            received_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
            times=self._times(file.stem),
        )

    def _times(self, id: str) -> int:
        again = self._again(id)
        return 1 + (len(again.read_bytes().splitlines()) if again.is_file() else 0)

    def _file(self, id: str) -> Path:
        return self._directory / f"{id}.eml"

    def _again(self, id: str) -> Path:
        return self._directory / f"{id}.again"


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """The part for people who read text, or the HTML."""
    part: Any = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _id(content: bytes) -> str:
    message_id = str(parse(content)["Message-ID"] or "")
    return id_of(message_id) if message_id else sha256(content).hexdigest()[:16]


def id_of(message_id: str) -> str:
    """Under which id a Message-ID is kept."""
    inner = message_id.strip().removeprefix("<").removesuffix(">")
    return sha256(inner.encode(errors="replace")).hexdigest()[:16]


def parse(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=default)


def _private(path: Path, flags: int) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | flags, 0o600), "wb")
