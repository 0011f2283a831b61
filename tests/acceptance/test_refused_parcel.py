"""A parcel that the carrier refuses is found, asked for again, or given up by a person."""

import pytest

from tests.acceptance.laptop import ATTIC, Laptop
from tests.acceptance.shop import PRICE, Json, Shop
from tests.acceptance.wait import until


@pytest.fixture
def refused(shop: Shop, laptop: Laptop) -> Json:
    """25 units of one book in two parcels, of which the carrier will have neither."""
    order_id = shop.place((shop.book(25, warehouse=ATTIC), 25))["order_id"]
    return shop.becomes(order_id, lambda seen: parcels(seen) == ["refused", "refused"])


def parcels(order: Json) -> list[str]:
    return [parcel["status"] for parcel in order["parcels"]]


def listed(laptop: Laptop) -> set[str]:
    said = laptop.quire("order", "list", "--needs", "label", "--limit", "100", "--json")
    assert said.code == 0, said.err
    return {each["order_id"] for each in said.lines}


def test_it_is_found_and_leaves_once_it_was_asked_for_again(
    shop: Shop, laptop: Laptop, refused: Json
):
    order_id = refused["order_id"]
    assert order_id in listed(laptop)
    shown = laptop.quire("order", "show", order_id).out
    assert "the carrier refuses it: warehouse_not_served" in shown
    for number in ("1", "2"):
        assert f"to ask again: quire order relabel {order_id} {number}" in shown
        said = laptop.quire("order", "relabel", order_id, number, "--wait", "20", "--json")
        assert said.code == 0, said.err
    shop.delivered(order_id)
    assert laptop.taken(order_id, "capture") == 25 * PRICE
    assert order_id not in listed(laptop)
    again = laptop.quire("order", "relabel", order_id, "1", "--wait", "20", "--json")
    assert (again.code, again.json["order_id"]) == (0, order_id), "what has its label keeps it"
    unknown = laptop.quire("order", "relabel", order_id, "9", "--wait", "20", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (5, "parcel_unknown")


def test_what_is_given_up_comes_out_of_it_and_the_rest_is_sent(
    shop: Shop, laptop: Laptop, refused: Json
):
    """The first parcel has its label by then: its units would be there to be cancelled, too."""
    order_id = refused["order_id"]
    laptop.quire("order", "relabel", order_id, "1", "--wait", "20")
    shop.becomes(order_id, lambda seen: parcels(seen)[0] != "refused")
    said = laptop.quire("order", "cancel", order_id, "--line", "1:5", "--wait", "20", "--json")
    assert said.code == 0, said.err
    until(lambda: order_id not in listed(laptop))
    order = shop.delivered(order_id)
    assert parcels(order) == ["delivered", "cancelled"]
    assert laptop.taken(order_id, "capture") == 20 * PRICE
