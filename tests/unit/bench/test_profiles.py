"""Profiles and arrivals are what the documentation says they are."""

from pathlib import Path
from statistics import mean

import pytest

from bench import profiles
from bench.arrivals import in_burst, poisson
from bench.profiles import UnknownProfile, wanted


def test_a_store_order_has_a_line_or_two():
    lines = sorted(len(basket) for basket in wanted("store", 20_000, "r").baskets)
    assert 1.12 < mean(lines) < 1.16
    assert lines[int(len(lines) * 0.99)] == 3
    assert lines[-1] <= 12


def test_a_wholesale_order_has_many_lines_and_a_long_tail():
    lines = sorted(len(basket) for basket in wanted("wholesale", 2_000, "r").baskets)
    assert 24 < mean(lines) < 31
    assert 13 <= lines[1_000] <= 17
    assert lines[-1] > 200
    assert lines[-1] <= 1_112


def test_the_first_code_is_wanted_most():
    demand = wanted("store", 20_000, "r").demand()
    assert max(demand, key=lambda sku: demand[sku]) == "bench-0000"


def test_a_flash_sale_wants_one_code_in_three_orders_of_ten():
    sale = wanted("flash", 10_000, "r")
    hot = sum(basket == ((sale.short, 1),) for basket in sale.baskets)
    assert 0.28 < hot / 10_000 < 0.32


def test_a_run_is_the_same_each_time_and_another_one_differs():
    assert wanted("store", 100, "a") == wanted("store", 100, "a")
    assert wanted("store", 100, "a") != wanted("store", 100, "b")


def test_no_code_twice_in_a_basket():
    for basket in wanted("wholesale", 200, "r").baskets:
        assert len({sku for sku, _ in basket}) == len(basket)


def test_baskets_of_a_file_are_its_sales(tmp_path: Path):
    file = tmp_path / "sales.csv"
    file.write_text(
        "invoice_no,stock_code,quantity,unit_price\n"
        "1,85123a,2,1.50\n1,85123A,3,1.50\n1,POST,1,4.00\n"
        "C2,85123A,-2,1.50\n3,22423,1,0\n4,22423,6,2.10\n"
    )
    assert wanted(f"file:{file}", 3, "r").baskets == [
        (("85123A", 5),),
        (("22423", 6),),
        (("85123A", 5),),
    ]


@pytest.mark.parametrize("name", ["shop", "file:/no/such/file"])
def test_an_unknown_profile_is_refused(name: str):
    with pytest.raises(UnknownProfile):
        wanted(name, 1, "r")


def test_a_price_is_always_the_same():
    assert profiles.price_minor("bench-0001") == profiles.price_minor("bench-0001") > 0


def test_arrivals_come_at_the_rate():
    moments = poisson(200, 60, "r", bursts=False)
    assert 11_500 < len(moments) < 12_500
    assert moments == sorted(moments)
    assert moments[-1] < 60


def test_a_burst_is_three_times_as_busy_for_ten_seconds():
    moments = poisson(200, 60, "r", bursts=True)
    busy = [at for at in moments if in_burst(at, 60)]
    assert 5_600 < len(busy) < 6_400
    assert min(busy) >= 30
    assert max(busy) < 40
    assert 9_500 < len(moments) - len(busy) < 10_500
