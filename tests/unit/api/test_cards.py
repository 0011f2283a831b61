"""What looks like a card's number is refused, and every token is let through."""

import pytest

from api.cards import token
from api.problems import Problem


@pytest.mark.parametrize(
    "number",
    ["4242424242424242", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005"],
)
def test_a_cards_number_is_refused(number: str):
    with pytest.raises(Problem) as refused:
        token(number)
    assert (refused.value.status, refused.value.code) == (422, "card_number_refused")
    assert number not in refused.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "", "tok_approve", "tok_4242424242424242", "4242424242424241", "42424242424", "pm-1",
        "42424242424242424242",
    ],
)  # fmt: skip
def test_a_token_stays_as_it_is(text: str):
    assert token(text) == text
