"""The mails that a Mailpit took in, read from its page. Holds personal data."""

from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import httpx

from gateways.mailbox import Mail, id_of, parse

PAGE = 200


class NoMailpit(Exception):
    """Somebody else answers at its address."""


class Mailpit:
    """The same box as `gateways.mailbox` keeps in files, by the same ids.

    `http` speaks to its address. Mailpit keeps the newest messages alone, 500 unless told.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def mails(self) -> list[Mail]:
        """All of them, newest first: one for each Message-ID."""
        found = map(_mail, self._by_message_id().values())
        return sorted(found, key=lambda mail: mail.received_at, reverse=True)

    def held(self) -> dict[str, int]:
        """How often each came in, by id."""
        return {id: len(messages) for id, messages in self._by_message_id().items()}

    def find(self, id: str) -> tuple[Mail, EmailMessage] | None:
        """The one whose id begins so, or whose Message-ID is this."""
        wanted = id_of(id) if "@" in id else id
        for each, messages in self._by_message_id().items():
            if wanted and each.startswith(wanted):
                raw = self._http.get(f"/api/v1/message/{messages[0]['ID']}/raw").raise_for_status()
                return _mail(messages), parse(raw.content)
        return None

    def _by_message_id(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for each in self._messages():
            found.setdefault(id_of(each["MessageID"]), []).append(each)
        return found

    def _messages(self) -> Iterator[Any]:
        """Page by page, newest first."""
        start = 0
        while True:
            asked = {"start": str(start), "limit": str(PAGE)}
            answer = self._http.get("/api/v1/messages", params=asked).raise_for_status()
            page = _messages(answer)
            if not page:
                return
            yield from page
            start += len(page)


def _messages(answer: httpx.Response) -> list[Any]:
    try:
        page: Any = answer.json()["messages"]
    except (ValueError, LookupError, TypeError) as fault:
        raise NoMailpit(f"{answer.url} tells of no messages") from fault
    return page


def _mail(messages: list[Any]) -> Mail:
    first = messages[-1]
    return Mail(
        id=id_of(first["MessageID"]),
        message_id=f"<{first['MessageID']}>",
        to=", ".join(map(_person, first["To"])),
        subject=first["Subject"],
        received_at=datetime.fromisoformat(first["Created"]),
        times=len(messages),
    )


def _person(told: Any) -> str:
    return f"{told['Name']} <{told['Address']}>" if told["Name"] else told["Address"]
