r"""Text that Postgres cannot hold is found in the raw JSON, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.text import unfit


@pytest.mark.parametrize(
    "value",
    [
        rb'{"a":"\u0000"}',
        rb'{"a":"x\\\u0000"}',
        rb'{"\u0000":1}',
        b'{"a":"\x00"}',
        rb'{"a":"\ud83d"}',
        rb'{"a":"\ud83dx"}',
        rb'{"a":"\ud83d\n"}',
        rb'{"a":"\ud83d\ud83d\ude00"}',
        rb'{"a":"\ude00"}',
        rb'{"a":"\ude00\ud83d"}',
        rb"\ud83d",
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
    ],
)
def test_refuses(value: bytes):
    assert unfit(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        rb'{"a":"\\u0000"}',
        rb'{"a":"\\\\ud83d"}',
        rb'{"a":"\ud83d\ude00"}',
        rb'{"a":"\u00e9\n\\"}',
        '{"a":"😀é"}'.encode(),
    ],
)
def test_lets_pass(value: bytes):
    assert unfit(value) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_agrees_with_what_the_text_means(text: str):
    holdable = "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
    written = json.dumps(text)
    if json.loads(written) == text:  # two halves that meet in the text become one character
        assert (unfit(written.encode()) is None) is holdable
