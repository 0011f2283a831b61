"""A supplier's file becomes one goods receipt, whose id follows from its content."""

from pathlib import Path

import pytest

from api.intake.mappers import GoodsReceipt, asked
from api.intake.reading import events_of
from streams.lifecycle import CannotGoOn
from streams.supplier import NotAStockFile, Unfinished, Watched, event_of, run

FILE = b"sku,quantity\nmug,3\nink,2\nmug,1\n"


@pytest.mark.parametrize("uncatalogued", [False, True])
def test_the_intake_understands_what_is_posted(uncatalogued: bool):
    event = event_of(FILE, uncatalogued=uncatalogued)
    assert event is not None
    headers = [
        (name.lower().encode(), text.encode()) for name, text in event.http_headers().items()
    ]
    [received] = events_of(headers, event.data)
    receipt = asked(received)
    assert isinstance(receipt, GoodsReceipt)
    assert receipt.by_sku == {"mug": 4, "ink": 2}
    assert receipt.uncatalogued == uncatalogued


def test_the_same_content_is_the_same_event_and_another_is_not():
    first, again, other = event_of(FILE), event_of(bytes(FILE)), event_of(FILE + b"pen,1\n")
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.attributes["id"] == again.attributes["id"] != other.attributes["id"]


def test_a_file_with_nothing_but_its_head_is_no_event():
    assert event_of(b"\xef\xbb\xbfsku,quantity\r\n") is None


@pytest.mark.parametrize(
    "content", [b"", b"mug,3\n", b"sku,quantity\nmug\n", b"sku,quantity\nmug,many\n", b"\xff\xfe\n"]
)
def test_what_is_no_stock_file_is_refused(content: bytes):
    with pytest.raises(NotAStockFile):
        event_of(content)


def test_a_file_whose_last_line_may_be_cut_is_no_receipt():
    with pytest.raises(Unfinished):
        event_of(b"sku,quantity\nA,12")


def test_a_file_is_taken_when_two_looks_in_a_row_find_the_same(tmp_path: Path):
    file = tmp_path / "stock.csv"
    watched = Watched(file)
    whole = b"sku,quantity\nA,120\nB,3\n"
    file.write_bytes(whole[:-4])
    assert watched.look() is None
    file.write_bytes(whole)
    assert watched.look() is None
    assert watched.look() == watched.look() == whole
    file.unlink()
    with pytest.raises(FileNotFoundError):
        watched.look()
    file.write_bytes(whole)
    assert watched.look() is None


async def test_a_cut_file_ends_the_nightly_job_with_its_code_and_is_not_posted(tmp_path: Path):
    file = tmp_path / "stock.csv"
    file.write_bytes(b"sku,quantity\nA,12")
    with pytest.raises(CannotGoOn, match=r"^stock_file_unfinished: "):
        await run(file, "http://127.0.0.1:1/events", once=True)
