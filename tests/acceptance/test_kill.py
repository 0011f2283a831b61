"""Any process may be killed under load: it says so, comes back, and no order is lost."""

from collections.abc import Iterator

import pytest

from stack.processes import WORDS
from tests.acceptance.load import Load
from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack
from tests.acceptance.wait import until

BACK_SECONDS = 60


@pytest.fixture(scope="module")
def load(shop: Shop, stack: Stack) -> Iterator[Load]:
    until(stack.is_healthy, 60)
    running = Load(shop)
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("name", [*WORDS, "kafka", "postgres"])
def test_a_killed_process_says_so_and_comes_back(shop: Shop, stack: Stack, load: Load, name: str):
    killed = stack.kill(name)
    until(killed.is_back, BACK_SECONDS)
    assert killed.is_told()
    accepted = load.places_another()
    shop.becomes(accepted, lambda order: order["status"] == "confirmed", BACK_SECONDS)


def test_nothing_was_lost_and_nothing_done_twice(shop: Shop, stack: Stack, load: Load):
    load.stop()
    until(stack.is_healthy, 60)
    assert len(load.accepted) > len(WORDS)
    for order_id in load.accepted:
        shop.delivered(order_id)
        assert stack.taken(order_id, "authorize") == stack.taken(order_id, "capture") > 0
    sold = load.units * len(load.accepted)
    shop.has_level(load.sku, load.stock - sold, 0)
    assert stack.quire("parked", "list", "--json").lines == []
    said = stack.quire("audit", "verify", "--json", "--settle-seconds", "0")
    assert said.json["findings"] == []
