"""What is told of a wish that nobody has decided on yet, by an API of our own."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from cli.main import quire

ORDER = {
    "order_id": "o-1",
    "status": "confirmed",
    "payment": "captured",
    "fulfilment": "delivered",
}


class Api(BaseHTTPRequestHandler):
    """Decides only on the wishes of those who wait."""

    def do_GET(self) -> None:
        self._say(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._say(200 if "prefer" in self.headers else 202)

    def _say(self, status: int) -> None:
        text = json.dumps(ORDER).encode()
        self.send_response(status)
        self.send_header("Location", "/orders/o-1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("words", [["relabel", "o-1", "1"], ["cancel", "o-1"]])
def test_what_is_not_decided_yet_is_said(url: str, words: list[str]):
    done = CliRunner().invoke(quire, ["order", *words, "--url", url, "--json"])
    assert done.exit_code == 0
    assert done.stderr.startswith("asked for, and not decided yet")
    assert json.loads(done.stdout) == ORDER


@pytest.mark.parametrize("words", [["relabel", "o-1", "1", "--wait", "5"], ["place", "--sku", "a"]])
def test_what_is_decided_or_placed_speaks_for_itself(url: str, words: list[str]):
    done = CliRunner().invoke(quire, ["order", *words, "--url", url, "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == ORDER
