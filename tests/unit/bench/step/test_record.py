"""A recorder finds the stack that it looks at, and records nothing where no load began."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.step.record import main
from stack import board
from stack.board import Board, Servers
from stack.layout import Layout
from stack.ports import free_in_a_row


def test_a_recording_without_an_api_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    for name in ("QUIRE_URL", "QUIRE_PORT_BASE"):
        monkeypatch.delenv(name, raising=False)
    url = f"http://127.0.0.1:{free_in_a_row(1)}"
    layout, out = Layout.at(tmp_path / "state"), tmp_path / "out"
    servers = Servers(url, "", "", "")
    board.write(layout, Board(1, 8080, datetime.now(UTC), up=True, servers=servers))
    words = ["--state-dir", str(layout.root), "--steps", "1:1s", "--out", str(out)]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.output) == (3, "")
    [line] = capfd.readouterr().err.splitlines()
    assert url in line, "the load goes to the stack on the state directory"
    assert not out.exists()
