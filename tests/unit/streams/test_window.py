"""The window keeps what waits, moves the done point, and never pretends to know more."""

from uuid import uuid4

import pytest

import streams.window
from streams.window import Chunk, Sent, Window

PLACE = ("quire.order.commands", 0)


def chunk(to: int, *waiting: int) -> Chunk:
    return Chunk(to, 0.0, [Sent(position, uuid4(), PLACE) for position in waiting], {PLACE: to})


def test_the_done_point_stops_before_the_first_fact_that_waits():
    window = Window(done=0, end=0)
    window.add(0, chunk(10, 4, 7))
    window.add(10, chunk(20))
    window.settle()
    assert window.done == 3


def test_the_done_point_moves_over_all_that_waits_for_nothing():
    window = Window(done=0, end=0)
    window.add(0, chunk(10, 4))
    window.add(10, chunk(20, 15))
    window.chunks[0].waiting = []
    window.settle()
    assert (window.done, window.end) == (14, 20)
    window.chunks[0].waiting = []
    window.settle()
    assert window.done == 20
    assert not window.chunks


def test_a_chunk_that_does_not_follow_is_left_to_be_read_again():
    window = Window(done=0, end=0)
    window.add(10, chunk(20, 12))
    assert (window.end, len(window.chunks)) == (0, 0)


def test_a_full_window_takes_nothing_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams.window, "CAPACITY", 2)
    window = Window(done=0, end=0)
    window.add(0, chunk(10, 4, 7))
    window.add(10, chunk(20, 12))
    assert window.full
    assert window.end == 10


def test_going_back_forgets_everything():
    window = Window(done=5, end=5)
    window.add(5, chunk(10, 6))
    window.go_back(5)
    assert (window.done, window.end, len(window.chunks)) == (5, 5, 0)
