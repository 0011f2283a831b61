"""Two stacks side by side know nothing of each other; one that is brought up again goes on, also
with what fell due while it was down."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.acceptance.laptop import Laptop, new_stack
from tests.acceptance.shop import Json, Shop
from tests.acceptance.wait import until

TURN = timedelta(seconds=1)


@pytest.fixture(scope="module")
def other(laptop: Laptop) -> Iterator[Laptop]:
    with new_stack(QUIRE_RESERVATION_MINUTES="0.6") as second:
        yield second


def test_each_has_its_own_orders_and_goes_on_where_it_was(
    shop: Shop, laptop: Laptop, other: Laptop
):
    there = Shop(other.url)
    sku = there.book(9)
    order_id = there.place((sku, 2))["order_id"]
    assert shop.http.get(f"/orders/{order_id}").status_code == 404
    assert shop.http.get(f"/stock/{sku}").status_code == 404
    here = shop.place((shop.book(2), 1))["order_id"]
    assert there.http.get(f"/orders/{here}").status_code == 404
    assert laptop.status["healthy"]
    assert other.status["healthy"]

    unpaid = there.place((sku, 3), card="tok_decline_insufficient")
    paid = there.place((sku, 3), card="tok_decline_insufficient")["order_id"]
    assert unpaid["next_deadline"]["kind"] == "expire_unpaid"
    shown = other.quire("order", "show", unpaid["order_id"]).out
    assert "UTC, the order expires unless it is paid: its stock is released" in shown
    there.post(f"/orders/{paid}/pay", {"payment_method": "tok_approve"}, wait=0)
    pids = [each["pid"] for each in other.status["processes"]]
    other.down()
    assert [pid for pid in pids if _lives(pid)] == []
    assert other.quire("status", "--json").code == 3
    with pytest.raises(httpx.TransportError):
        there.get("/healthz")
    assert laptop.status["healthy"]

    stopped = datetime.now(UTC)
    due = datetime.fromisoformat(unpaid["next_deadline"]["at"])
    until(lambda: datetime.now(UTC) > due + 2 * TURN)  # also that of the other, paid or not

    [told] = other.up().lines  # nothing else is on stdout
    assert (told["url"], told["ports"]["api"]) == (other.url, other.port_base)
    assert told["phases"].keys() >= {"postgres", "kafka", "topics", "processes"}
    assert {each["state"] for each in told["processes"]} == {"ready"}
    facts = there.get(f"/orders/{order_id}/timeline")["facts"]
    there.delivered(order_id)  # the parcel was on its way when all went down
    assert there.get(f"/orders/{order_id}/timeline")["facts"][: len(facts)] == facts
    there.delivered(paid)  # it was said before, though perhaps nobody had heard it yet
    there.becomes(unpaid["order_id"], lambda order: order["status"] == "expired")
    there.has_level(sku, 4, 0)
    [expired] = _expiries(there, unpaid["order_id"])
    assert datetime.fromisoformat(expired["time"]) > stopped
    assert _expiries(there, paid) == []
    said = other.quire("audit", "verify", "--json", "--settle-seconds", "0")
    assert said.json["findings"] == []
    there.http.close()


def _expiries(shop: Shop, order_id: str) -> list[Json]:
    facts = shop.get(f"/orders/{order_id}/timeline")["facts"]
    return [fact for fact in facts if fact["type"] == "quire.order.expired.v1"]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
