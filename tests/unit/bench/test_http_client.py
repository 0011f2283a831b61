"""The cheap HTTP client: whole answers, split answers, a connection that breaks."""

import asyncio

from bench.http_load import Connection, header
from bench.plan import Request

HEAD = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nLocation: /orders/abc\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


def answers(*pieces: bytes) -> list[tuple[int, bytes]]:
    got: list[tuple[int, bytes]] = []
    connection, wire = Connection(), Wire()
    connection.connection_made(wire)
    connection.ask(Request(b"POST"), lambda s, head: got.append((s, header(head, b"location"))))
    for piece in pieces:
        connection.data_received(piece)
    if not pieces:
        connection.connection_lost(None)
    assert wire.written == [b"POST"]
    return got


def test_an_answer_is_whole_when_its_body_is():
    assert answers(HEAD + b"{}") == [(202, b"/orders/abc")]
    assert answers(HEAD, b"{", b"}") == [(202, b"/orders/abc")]
    assert answers(HEAD[:30], HEAD[30:] + b"{") == []


def test_a_broken_line_is_status_0():
    assert answers() == [(0, b"")]
