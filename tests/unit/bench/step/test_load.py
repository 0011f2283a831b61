"""The steps of a load: their moments, what they ask for, and whom."""

import pytest
from click.testing import CliRunner

from bench.step.load import BOOKS, STEPS, baskets, main, moments, steps_of
from stack.ports import free_in_a_row


def test_steps_are_read():
    assert steps_of("5:10s, 200:60") == [(5, 10), (200, 60)]
    assert steps_of(STEPS)[1] == (200, 60)


@pytest.mark.parametrize("text", ["", "5", "5:0s", "0:5s", "5:5s,", "-1:5s", "5:5m"])
def test_what_are_no_steps_is_refused(text: str):
    with pytest.raises(ValueError, match="no row of steps"):
        steps_of(text)


def test_each_step_has_its_rate_and_its_time():
    due = moments([(5, 20), (200, 10)], "run")
    assert due == sorted(due)
    assert due[-1] < 30
    slow = sum(at < 20 for at in due)
    assert 60 < slow < 150
    assert 1_700 < len(due) - slow < 2_300


def test_baskets_are_of_the_books_that_are_stocked():
    made = baskets(500, "run")
    assert len(made) == 500
    for basket in made:
        skus = [sku for sku, _ in basket]
        assert len(set(skus)) == len(skus)
        assert all(0 <= int(sku.removeprefix("step-")) < BOOKS for sku in skus)
    assert {len(basket) for basket in made} == {1, 2}


def test_a_load_without_an_api_is_one_line():
    url = f"http://127.0.0.1:{free_in_a_row(1)}"
    done = CliRunner().invoke(main, ["--url", url, "--steps", "1:1s"])
    assert done.exit_code == 3
    [line] = done.output.splitlines()
    assert url in line
