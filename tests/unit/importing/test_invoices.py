"""What the lines of an invoice mean."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.importing.invoices import gather, invoices, role, survey
from cli.importing.reader import Line, Reject

AT = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def line(
    invoice: str = "536365",
    code: str = "85123A",
    quantity: int = 1,
    price: int = 100,
    *,
    number: int = 2,
    customer: str = "17850",
) -> Line:
    return Line(number, invoice, code, "A THING", quantity, price, AT, customer)


@pytest.mark.parametrize(
    ("one", "part"),
    [
        (line(), "sale"),
        (line(code="POST"), "charge"),
        (line(code="BANK CHARGES", quantity=-1), "charge"),
        (line(price=0), "free"),
        (line(price=0, quantity=-1), "write_off"),
        (line(quantity=-1), "negative_sale"),
        (line(code="POST", price=0), "not_stock"),
        (line("C536365", quantity=-1), "cancel"),
        (line("C536365"), "positive_cancellation"),
        (line("C536365", "D", quantity=-1), "charge_of_cancellation"),
        (line("A536365", "B"), "not_an_order"),
        (line("A536365", "B", price=-5), "negative_price"),
        (line(code="851234"), "charge"),
        (line(code="85123ABC"), "charge"),
    ],
)
def test_the_part_that_a_line_plays(one: Line, part: str):
    assert role(one) == part


def test_free_goods_are_a_gift_with_a_buyer_and_a_receipt_without():
    assert gather([line(price=0)]).gifts
    assert gather([line(price=0, customer="")]).receipts
    assert gather([line(customer=""), line(price=0, customer="")]).gifts


def test_charges_need_goods():
    invoice = gather([line(code="POST")])
    assert [reject.reason for reject in invoice.rejects] == ["charge_without_goods"]
    assert not gather([line(), line(code="POST")]).rejects


def test_another_customer_in_an_invoice_is_rejected():
    invoice = gather([line(), line(customer="12345", number=3)])
    assert [(one.number, one.reason) for one in invoice.rejects] == [(3, "customer_differs")]


def test_the_first_of_two_times_counts():
    late = line(number=3)._replace(at=AT + timedelta(minutes=1))
    assert gather([line(), late]).at == AT


def test_an_invoice_ends_with_its_last_line_wherever_that_stands():
    bad = Reject(4, "", "", "bad_quantity")
    rows = [line("1", number=2), line("2", number=3), bad, line("1", number=5)]
    found = list(invoices(rows, survey(rows).ends))
    assert [one.number if not isinstance(one, Reject) else "bad" for one in found] == [
        "2", "bad", "1",
    ]  # fmt: skip
    assert len(found[2].lines if not isinstance(found[2], Reject) else []) == 2


def test_the_survey_adds_up_what_a_month_takes():
    rows = [line(quantity=5), line(quantity=-2, price=0), line("C1", quantity=-9)]
    assert survey(rows).needs == {((2010, 12), "85123A"): 7}
