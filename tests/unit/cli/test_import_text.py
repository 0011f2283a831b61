"""What `quire import` says it did."""

from typing import Any

from cli.import_ import text_of

ONE: dict[str, Any] = dict.fromkeys(
    (
        "orders", "order_lines", "units", "gross", "cancel_invoices", "cancel_lines",
        "cancel_units", "cancel_gross", "customers", "skus", "lines", "accepted",
    ),
    1,
) | {"mapped": {}, "rejected": {}}  # fmt: skip


def test_one_of_a_thing_is_one_thing():
    assert text_of(ONE).splitlines() == [
        "1 order, 1 line, 1 unit, 1.00 GBP",
        "1 cancellation, 1 line, 1 unit, 1.00 GBP",
        "1 customer, 1 code",
        "1 line: 1 accepted",
    ]


def test_more_than_one_are_many():
    many = ONE | {"orders": 1_067, "lines": 2_000, "rejected": {"negative_price": 2}}
    told = text_of(many).splitlines()
    assert told[0] == "1,067 orders, 1 line, 1 unit, 1.00 GBP"
    assert told[3:] == ["2,000 lines: 1 accepted", "          2 rejected (negative_price)"]
