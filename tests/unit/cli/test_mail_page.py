"""`quire mail list --page` at an address where no Mailpit is."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from cli.main import quire
from cli.output import Exit, Failure
from stack.ports import free_in_a_row

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Generator[str]:
    """Its address, where each GET has this answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def sent_on(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "https://elsewhere.example/login")
    request.end_headers()


def saying(text: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        request.wfile.write(text)

    return answer


def failure(page: str) -> Failure:
    done = CliRunner().invoke(quire, ["mail", "list", "--page", page])
    assert isinstance(done.exception, Failure), done.exception
    return done.exception


def test_who_is_sent_on_is_told_where():
    with serving(sent_on) as page:
        told = failure(page)
    assert (told.code, told.exit_code) == ("redirected", Exit.NOT_REACHABLE)
    assert "https://elsewhere.example/login" in told.message


@pytest.mark.parametrize("text", [b"<html>", b"[]", b"{}"])
def test_somebody_else_is_no_mailpit(text: bytes):
    with serving(saying(text)) as page:
        told = failure(page)
    assert told.code == "not_a_mailpit"
    assert "--page" in told.hint


@pytest.mark.parametrize("begin", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
def test_the_hint_names_its_own_option(begin: str):
    told = failure(begin.format(free_in_a_row(1)))
    assert told.code in ("not_reachable", "url_wrong")
    assert "--page" in told.hint
    assert "--url" not in told.hint
