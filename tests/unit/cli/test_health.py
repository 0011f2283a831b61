"""What a container is asked: is your process well?"""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cli.health import STANDS_STILL_SECONDS
from streams import lifecycle


def health(*words: str, file: Path | None = None) -> tuple[int, str]:
    env = {k: v for k, v in os.environ.items() if k != "QUIRE_READY_FILE"}
    if file is not None:
        env["QUIRE_READY_FILE"] = str(file)
    done = subprocess.run(
        [sys.executable, "-m", "cli.health", *words],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@contextmanager
def serving(status: int) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"Kafka does not answer")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/readyz"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_process_that_turns_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "ready"
    assert health(file=file) == (1, "not ready yet\n")
    monkeypatch.setenv("QUIRE_READY_FILE", str(file))
    monkeypatch.setattr(lifecycle, "_last_beat", 0.0)
    lifecycle.ready()
    assert health(file=file) == (0, "")
    long_ago = time.time() - STANDS_STILL_SECONDS - 5
    os.utime(file, (long_ago, long_ago))
    code, why = health(file=file)
    assert code == 1
    assert "stands still" in why
    lifecycle.beat()
    assert health(file=file) == (0, "")


def test_a_server_is_asked():
    with serving(200) as url:
        assert health(url) == (0, "")
    code, why = health(url)
    assert code == 1
    assert "does not answer" in why
    with serving(503) as url:
        code, why = health(url)
    assert code == 1
    assert "503: Kafka does not answer" in why


def test_who_is_told_nothing_is_not_well():
    assert health()[0] == 1
