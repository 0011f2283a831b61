"""What a newer relay or timers process says of a command is understood during an upgrade."""

import msgspec
import pytest

from domain.order.messages import CancelOrder
from store.codec import BadData, decode_command, encode

NEWER = msgspec.json.encode(msgspec.json.decode(encode(CancelOrder("o-1"))) | {"later": {"a": 1}})


def test_a_field_that_only_newer_code_knows_is_left_out():
    assert decode_command(CancelOrder.kind, NEWER, ours=True) == CancelOrder("o-1")


def test_from_anybody_else_it_is_a_mistake():
    with pytest.raises(BadData, match="later"):
        decode_command(CancelOrder.kind, NEWER)


@pytest.mark.parametrize(
    "data", [b'{"order_id":7,"later":1}', b'{"later":1}', b"[]", b"{", b"\xff"]
)
def test_what_is_wrong_stays_wrong(data: bytes):
    with pytest.raises(BadData):
        decode_command(CancelOrder.kind, data, ours=True)
