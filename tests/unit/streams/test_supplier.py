"""A supplier's file becomes one goods receipt, whose id follows from its content."""

import pytest

from api.intake.mappers import GoodsReceipt, asked
from api.intake.reading import events_of
from streams.supplier import NotAStockFile, event_of

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
    "content", [b"", b"mug,3\n", b"sku,quantity\nmug\n", b"sku,quantity\nmug,many\n", b"\xff\xfe"]
)
def test_what_is_no_stock_file_is_refused(content: bytes):
    with pytest.raises(NotAStockFile):
        event_of(content)
