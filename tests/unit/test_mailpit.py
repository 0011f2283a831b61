"""The box of a Mailpit, as its API tells of it."""

from typing import Any

import httpx
import pytest

from gateways.mailbox import id_of, text_of
from gateways.mailpit import PAGE, Mailpit

RAW = b"Message-ID: <b@quire.example>\r\nSubject: Twice\r\n\r\nHello Ada\r\n"


def message(message_id: str, number: int, name: str = "") -> dict[str, Any]:
    return {
        "ID": f"n{number}",
        "MessageID": message_id,
        "To": [{"Name": name, "Address": "ada@orchard.example"}],
        "Subject": message_id.partition("@")[0],
        "Created": f"2026-11-21T20:{number // 60:02}:{number % 60:02}.123456789Z",
    }


@pytest.fixture
def told() -> list[dict[str, Any]]:
    """Newest first."""
    return [message("b@x", 3), message("a@x", 2, "Ada"), message("b@x", 1)]


@pytest.fixture
def box(told: list[dict[str, Any]]) -> Mailpit:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/message/n3/raw":
            return httpx.Response(200, content=RAW)
        assert request.url.path == "/api/v1/messages"
        start, limit = (int(request.url.params[name]) for name in ("start", "limit"))
        return httpx.Response(200, json={"messages": told[start : start + limit]})

    return Mailpit(httpx.Client(base_url="http://mail", transport=httpx.MockTransport(answer)))


def test_what_came_twice_is_one_mail_that_came_first_when_it_did(box: Mailpit):
    once, twice = box.mails()
    assert (twice.id, twice.message_id, twice.times) == (id_of("<b@x>"), "<b@x>", 2)
    assert twice.received_at.second == 1
    assert (once.to, once.subject, once.times) == ("Ada <ada@orchard.example>", "a", 1)
    assert twice.to == "ada@orchard.example"


def test_a_mail_is_found_by_the_beginning_of_its_id_or_its_message_id(box: Mailpit):
    for wanted in (id_of("b@x")[:6], "<b@x>"):
        found = box.find(wanted)
        assert found is not None
        assert text_of(found[1]).strip() == "Hello Ada"
    assert box.find("none") is None
    assert box.find("") is None


def test_every_page_is_read(box: Mailpit, told: list[dict[str, Any]]):
    told[:] = [message(f"{number}@x", number) for number in range(PAGE + 1, -1, -1)]
    assert len(box.held()) == PAGE + 2
