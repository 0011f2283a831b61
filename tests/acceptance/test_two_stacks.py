"""Two stacks side by side know nothing of each other; one that is brought up again goes on."""

import os
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack, new_stack


@pytest.fixture(scope="module")
def other(stack: Stack) -> Iterator[Stack]:
    with new_stack() as second:
        yield second


def test_each_has_its_own_orders_and_goes_on_where_it_was(shop: Shop, stack: Stack, other: Stack):
    there = Shop(other.url)
    sku = there.book(9)
    order_id = there.place((sku, 2))["order_id"]
    unpaid = there.place((sku, 3), card="tok_decline_insufficient")["order_id"]
    assert shop.http.get(f"/orders/{order_id}").status_code == 404
    assert shop.http.get(f"/stock/{sku}").status_code == 404
    here = shop.place((shop.book(2), 1))["order_id"]
    assert there.http.get(f"/orders/{here}").status_code == 404
    assert stack.status["healthy"]
    assert other.status["healthy"]

    pids = [each["pid"] for each in other.status["processes"]]
    other.down()
    assert [pid for pid in pids if _lives(pid)] == []
    assert other.quire("status", "--json").code == 3
    with pytest.raises(httpx.TransportError):
        there.get("/healthz")
    assert stack.status["healthy"]

    [told] = other.up().lines  # nothing else is on stdout
    assert (told["url"], told["ports"]["api"]) == (other.url, other.port_base)
    assert told["phases"].keys() >= {"postgres", "kafka", "topics", "processes"}
    assert {each["state"] for each in told["processes"]} == {"ready"}
    facts = there.get(f"/orders/{order_id}/timeline")["facts"]
    there.delivered(order_id)  # the parcel was on its way when all went down
    assert there.get(f"/orders/{order_id}/timeline")["facts"][: len(facts)] == facts
    there.has_level(sku, 7, 3)
    paid = there.post(f"/orders/{unpaid}/pay", {"payment_method": "tok_approve"})
    assert paid.json()["status"] == "confirmed"
    there.delivered(unpaid)
    there.has_level(sku, 4, 0)
    said = other.quire("audit", "verify", "--json", "--settle-seconds", "0")
    assert said.json["findings"] == []
    there.http.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
