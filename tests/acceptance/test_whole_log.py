"""After all that was done to this stack: the log is sound, and every view shows what it says."""

from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack
from tests.acceptance.wait import until

AUDITED = {"ok", "events", "events_per_s", "first_bad_position", "findings"}


def test_the_log_is_sound_and_sealed(shop: Shop, stack: Stack):
    order = shop.delivered(shop.place((shop.book(3), 1))["order_id"])
    said = stack.quire("audit", "verify", "--json", "--settle-seconds", "20")
    assert said.json["findings"] == []
    assert (said.code, said.json["ok"], said.json["first_bad_position"]) == (0, True, None)
    assert said.json.keys() >= AUDITED
    assert said.json["events"] > 0
    until(lambda: stack.quire("audit", "verify", "--json").json["sealed_to"] >= order["position"])


def test_every_view_equals_the_fold_of_the_log(shop: Shop, stack: Stack):
    shop.place((shop.book(3), 1))
    said = stack.quire("projections", "compare", "--json")
    assert said.json["first"] == []
    assert (said.code, said.json["differences"]) == (0, 0)
    assert min(said.json["rows"].values()) > 0


def test_a_rebuilt_view_shows_the_same(shop: Shop, stack: Stack):
    order_id = shop.delivered(shop.place((shop.book(3), 1))["order_id"])["order_id"]
    before = shop.order(order_id)
    for name in ("orders", "stock", "revenue"):
        rebuilt = stack.quire("projections", "rebuild", name, "--json")
        assert (rebuilt.code, rebuilt.json["name"]) == (0, name)
    assert shop.order(order_id)["totals"] == before["totals"]
    assert stack.quire("projections", "compare", "--json").json["differences"] == 0
    behind = stack.quire("projections", "list", "--json").lines
    assert {each["name"] for each in behind} == {"orders", "stock", "revenue"}


def test_nothing_is_parked(stack: Stack):
    assert stack.quire("parked", "list", "--json").lines == []
