"""What the wall's page makes of what it is told, by one life of the wall and by the next."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.wall import page
from api.wall.board import LOUD, PLACED, Board, Worth
from api.wall.feed import Feed

NODE = shutil.which("node")
PROGRAM = Path(page.__file__).parent / "static" / "wall.js"
HTML = PROGRAM.with_name("wall.html")
HARNESS = Path(__file__).parent / "page.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="nothing here runs a page's program")


def life() -> tuple[Feed, Board]:
    feed = Feed()
    return feed, Board(feed)


def told(feed: Feed, after: int = 0) -> list[tuple[str, Any]]:
    """What a page is told by now that has seen everything up to a place: kind and data."""
    found: list[tuple[str, Any]] = []
    for block in feed.after(after)[1].decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((lines["event"], json.loads(lines["data"])))
    return found


def drawn(events: list[tuple[str, Any]], width: str = "wide") -> dict[str, Any]:
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(HARNESS), str(PROGRAM), str(HTML), width],
        input=json.dumps(events), capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_page_does_not_go_back_to_what_an_order_was():
    feed, board = life()
    board.happened("o-1", "quire.order.shipped.v1", 9, "2026-11-21T12:00:00Z")
    next_feed, next_board = life()  # it is told anew, from before
    next_board.happened("o-1", "quire.order.paid.v1", 5, "2026-11-21T12:00:00Z")
    [row] = drawn(told(feed) + told(next_feed))["orders"]
    assert row["position"] == 9


def test_a_page_learns_the_total_of_an_order_whose_beginning_came_late():
    feed, board = life()
    board.happened("o-1", "quire.order.paid.v1", 5, "2026-11-21T12:00:00Z")
    before = told(feed)
    board.happened("o-1", PLACED, 1, "2026-11-21T11:59:00Z", Worth(2495, "EUR"))
    [row] = drawn(before + told(feed))["orders"]
    assert row["position"] == 5
    assert "24.95" in row["total"]


def test_a_page_shows_each_thing_once_that_needs_attention_whichever_life_tells_it():
    feed, board = life()
    next_feed, next_board = life()
    for each in (board, next_board):
        each.attention("quire/relay 1", "order-o-1 lost")
    place, _ = feed.after(0)
    board.attention("quire/relay 1", "order-o-1 lost")
    assert told(feed, place) == []
    board.attention("quire/relay 2", "order-o-2 lost")
    shown = drawn(told(feed) + told(next_feed))
    assert shown["attention"] == ["order-o-2 lost", "order-o-1 lost"]


def test_a_page_that_stays_open_keeps_as_much_as_the_wall():
    first = {"minute": "2026-11-21T13:00Z", "measure": "orders", "threshold": 7, "currency": ""}
    events: list[tuple[str, Any]] = []
    feed, board = life()
    place = 0
    for n in range(LOUD + 1):
        at = first if n == 0 else {**first, "minute": f"2026-11-21T12:{n:02}Z", "threshold": n}
        board.threshold(f"id-{n}", at)
        events += told(feed, place)
        place, _ = feed.after(place)
        if n == LOUD - 1:
            assert "passed 7 orders" in drawn(events)["passed"]
    assert len(told(feed)) == LOUD
    assert f"passed {LOUD} orders" in drawn(events)["passed"]


def test_a_page_says_that_there_is_nothing_only_once_it_would_know():
    opened: list[tuple[str, Any]] = [("open", None)]
    settled: list[tuple[str, Any]] = [*opened, ("later", None)]
    assert drawn([])["nothing"] == drawn(opened)["nothing"] == []
    assert drawn(settled)["nothing"] == ["no-orders", "no-minutes"]
    feed, board = life()
    board.happened("o-1", PLACED, 1, "2026-11-21T11:59:00Z", Worth(2495, "EUR"))
    assert drawn(settled + told(feed))["nothing"] == ["no-minutes"]
    assert drawn([*settled, ("lost", None)])["nothing"] == []
    assert drawn([*opened, ("lost", None), ("later", None)])["nothing"] == []


def test_a_narrow_page_leaves_out_the_seconds():
    feed, board = life()
    board.happened("o-1", PLACED, 1, "2026-11-21T11:59:37Z", Worth(2495, "EUR"))
    seconds = ["37" in drawn(told(feed), width)["orders"][0]["at"] for width in ("wide", "narrow")]
    assert seconds == [True, False]


def test_the_button_says_what_it_does():
    pause: tuple[str, Any] = ("pause", None)
    assert drawn([pause])["pause"] == "Go on"
    assert drawn([pause, pause])["pause"] == "Pause"


def test_each_column_is_named_for_what_stands_in_it():
    heads = re.findall(r"<th [^>]*>([^<]+)</th>", HTML.read_text())
    assert heads[:3] == ["Order", "Last fact", "Total"]
    assert heads[-3:] == ["Placed at", "Orders", "Ordered"]
