"""The lock and the board: who runs, and what it tells."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stack import board
from stack.board import Board, Phase
from stack.errors import StackFault
from stack.layout import Layout, Ports
from stack.secrets import load_or_make

HOLDS = """
import signal, sys
from pathlib import Path
from stack.board import holding
from stack.layout import Layout
with holding(Layout.at(Path(sys.argv[1]))):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.at(tmp_path / "state")


def test_a_second_stack_on_the_same_directory_is_refused(layout: Layout):
    with board.holding(layout):
        assert board.running(layout) == os.getpid()
        with pytest.raises(StackFault, match=str(os.getpid())), board.holding(layout):
            pass
    assert board.running(layout) is None


def test_the_lock_of_one_killed_is_free(layout: Layout):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(layout.root)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert board.running(layout) == holder.pid
        holder.kill()
    assert board.running(layout) is None
    with board.holding(layout):
        assert board.running(layout) == os.getpid()


def test_what_is_written_is_read_and_private(layout: Layout):
    told = Board(1, 8080, datetime.now(UTC), phases=(Phase("kafka", 2.5),))
    board.write(layout, told)
    assert board.read(layout) == told
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600


def test_a_new_stack_forgets_what_the_last_one_told(layout: Layout):
    board.write(layout, Board(1, 8080, datetime.now(UTC), up=True))
    with board.holding(layout):
        assert board.read(layout) is None


def test_passwords_are_made_once_and_private(layout: Layout):
    made = load_or_make(layout.secrets)
    assert load_or_make(layout.secrets) == made
    assert len({made.admin, made.owner, made.app}) == 3
    assert stat.S_IMODE(layout.secrets.stat().st_mode) == 0o600


def test_two_stacks_share_no_port():
    one, two = Ports.from_base(8080), Ports.from_base(8090)
    ports = [
        port
        for each in (one, two)
        for port in (
            each.api,
            each.postgres,
            each.kafka,
            each.controller,
            each.provider,
            each.mail,
            each.intake,
        )
    ]
    assert len(set(ports)) == 14
