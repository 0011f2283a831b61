"""The quick reader of an order and its form are of one mind."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.forms import LARGEST, OrderForm
from api.wanted import Wanted, decode
from api.wishes import fingerprint

numbers = (
    st.integers(-1, 3) | st.just(LARGEST) | st.just(LARGEST + 1) | st.sampled_from([1.0, True])
)
words = st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from(["GBP", "GBP\n", "gb"])
prices = st.none() | st.fixed_dictionaries({"amount_minor": numbers, "currency": words})
lines = st.fixed_dictionaries(
    {"sku": words, "quantity": numbers}, optional={"unit_price": prices, "surprise": words}
)
contacts = st.none() | st.fixed_dictionaries(
    {}, optional={"name": words, "email": words, "address": words, "phone": words}
)
orders = st.fixed_dictionaries(
    {"lines": st.lists(lines, max_size=2), "payment_method": words},
    optional={
        "customer_id": words,
        "contact": contacts,
        "language": words | st.sampled_from(["en", "zh-Hans", "en\n"]),
        "shortage": words | st.just("backorder"),
        "surprise": words,
    },
)


def by_form(body: bytes) -> dict[str, Any] | None:
    try:
        return OrderForm.model_validate_json(body).model_dump(mode="json")
    except ValidationError:
        return None


def quickly(body: bytes) -> Wanted | None:
    try:
        return decode(body)
    except msgspec.DecodeError:
        return None


@given(orders)
def test_they_take_the_same_orders_and_see_the_same_request(order: dict[str, Any]):
    body = msgspec.json.encode(order)
    form, quick = by_form(body), quickly(body)
    assert (form is None) == (quick is None)
    if quick is not None:
        assert fingerprint("POST /orders", quick) == fingerprint("POST /orders", form)


@pytest.mark.parametrize(
    ("field", "longest"), [("customer_id", 200), ("payment_method", 200), ("sku", 100)]
)
def test_the_longest_text_is_the_same(field: str, longest: int):
    for length, fits in ((longest, True), (longest + 1, False)):
        order: dict[str, Any] = {"lines": [{"sku": "s", "quantity": 1}], "payment_method": "p"}
        (order["lines"][0] if field == "sku" else order)[field] = "\u00fc" * length
        body = msgspec.json.encode(order)
        assert (by_form(body) is not None, quickly(body) is not None) == (fits, fits)
