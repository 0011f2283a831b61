"""What can be read of a line, and the reason why not."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from cli.importing.reader import COLUMNS, Line, Reject, read
from cli.importing.source import NotReadable

HEADER = ",".join(COLUMNS)
GOOD = "1,536365,85123a,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"


def lines(*rows: str | bytes, header: str = HEADER) -> list[Line | Reject]:
    raw = [row if isinstance(row, bytes) else row.encode() for row in (header, *rows)]
    return list(read(BytesIO(b"\n".join(raw) + b"\n")))


def test_a_good_line():
    at = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert lines(GOOD) == [Line(2, "536365", "85123A", "HOLDER", 6, 255, at, "17850")]


def test_summer_time_is_the_time_of_london():
    [line] = lines(GOOD.replace("2010-12-01", "2011-07-01"))
    assert isinstance(line, Line)
    assert line.at == datetime(2011, 7, 1, 7, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",6,", ",12x,", "bad_quantity"),
        (",6,", ",,", "bad_quantity"),
        (",6,", ",6.0,", "bad_quantity"),
        (",6,", ",٦,", "bad_quantity"),
        (",6,", ",0,", "zero_quantity"),
        ("6,2010-12-01 08:26:00,2", "999999999999,2010-12-01 08:26:00,99999", "out_of_range"),
        (",6,", ",99999999999999999999,", "bad_quantity"),
        ("2.55", "NaN", "bad_price"),
        ("2.55", "1e309", "bad_price"),
        ("2.55", "inf", "bad_price"),
        ("2.55", "", "bad_price"),
        ("2.55", "2,55", "bad_columns"),
        ("2.55", "2.555", "price_not_in_minor_units"),
        ("08:26:00", "25:26:00", "bad_time"),
        ("2010-12-01", "2010-13-01", "bad_time"),
        ("2010-12-01 ", "", "bad_time"),
        ("536365", "", "bad_invoice"),
        ("536365", "53 6365", "bad_invoice"),
        ("85123a", "", "bad_code"),
        ("17850", "a b", "bad_customer"),
        (",United Kingdom", "", "bad_columns"),
        ("HOLDER", "HOL\x00DER", "nul_character"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_the_next_is_read(old: str, new: str, reason: str):
    bad, good = lines(GOOD.replace(old, new, 1), GOOD)
    assert isinstance(bad, Reject)
    assert (bad.number, bad.reason, bad.unreadable) == (2, reason, True)
    assert isinstance(good, Line)


def test_trailing_zeros_are_no_third_decimal():
    [line] = lines(GOOD.replace("2.55", "2.550"))
    assert isinstance(line, Line)
    assert line.price == 255


def test_windows_1252_is_rejected_line_by_line():
    bad, good = lines(GOOD.replace("HOLDER", "CAFÉ").encode("cp1252"), GOOD)
    assert isinstance(bad, Reject)
    assert (bad.number, bad.reason) == (2, "not_utf8")
    assert isinstance(good, Line)


def test_a_field_over_two_lines_keeps_the_count():
    first, second = lines(GOOD.replace("HOLDER", '"HOL\nDER"'), GOOD)
    assert isinstance(first, Line)
    assert isinstance(second, Line)
    assert (first.number, second.number) == (2, 4)


def test_columns_may_stand_in_another_order():
    names = list(reversed(COLUMNS))
    [line] = lines(",".join(reversed(GOOD.split(","))), header=",".join(names))
    assert isinstance(line, Line)
    assert line.quantity == 6


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (HEADER.replace("unit_price,", ""), "missing_column"),
        ("a,b,c", "not_csv"),
        ("", "not_csv"),
        ("x" * 200_000, "line_too_long"),
    ],
)
def test_a_header_that_is_none(header: str, code: str):
    with pytest.raises(NotReadable) as raised:
        lines(GOOD, header=header)
    assert raised.value.code == code
    assert raised.value.line == 1


def test_a_quote_that_never_closes_is_named_by_its_line():
    with pytest.raises(NotReadable) as raised:
        lines(GOOD, '2,"536366,85123A')
    assert (raised.value.code, raised.value.line) == ("not_csv", 3)
