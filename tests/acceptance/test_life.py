"""The life of an order as its customer sees it, and each way in which it can end."""

from typing import Any

from tests.acceptance.shop import PRICE, Shop, order_of, problem
from tests.acceptance.stack import Stack

TRIES = 5
Order = dict[str, Any]


def test_an_order_is_accepted_and_found_where_it_was_said(shop: Shop):
    one, two = shop.book(5), shop.book(5)
    answer = shop.post("/orders", order_of((one, 1), (two, 3)), wait=0)
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert answer.headers["location"] == f"/orders/{answer.json()['order_id']}"
    seen = shop.get(answer.headers["location"])  # from the first moment on
    assert [(line["sku"], line["quantity"]) for line in seen["lines"]] == [(one, 1), (two, 3)]
    shop.becomes(seen["order_id"], lambda order: order["status"] == "confirmed")


def test_who_waits_gets_the_order_at_rest(shop: Shop):
    sku = shop.book(5)
    answer = shop.post("/orders", order_of((sku, 2)), wait=20)
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=20"
    order = answer.json()
    assert (order["status"], order["payment"]) == ("confirmed", "authorized")
    assert order["totals"]["ordered"] == order["totals"]["authorized"] == 2 * PRICE


def test_the_whole_life_ends_with_a_parcel_at_the_door_and_the_money_taken(shop: Shop):
    one, two = shop.book(5), shop.book(5)
    order_id = shop.place((one, 2), (two, 1))["order_id"]
    order = shop.delivered(order_id)
    assert order["status"] == "confirmed"  # completed when the return window ends
    assert order["totals"]["captured"] == order["totals"]["ordered"] == 3 * PRICE
    [parcel] = order["parcels"]
    assert parcel["tracking"]
    assert [scan["status"] for scan in parcel["scans"]] == [
        "handed_over",
        "in_transit",
        "delivered",
    ]
    assert [(line["line"], line["quantity"]) for line in parcel["lines"]] == [(1, 2), (2, 1)]
    shop.has_level(one, 3, 0)
    shop.has_level(two, 4, 0)


def test_the_provider_took_what_the_log_says(shop: Shop, stack: Stack):
    sku = shop.book(5)
    order = shop.delivered(shop.place((sku, 3))["order_id"])
    for step, total in (
        ("authorize", "authorized"),
        ("capture", "captured"),
        ("refund", "refunded"),
    ):
        assert stack.taken(order["order_id"], step) == order["totals"][total], step
    assert stack.taken(order["order_id"], "capture") == 3 * PRICE


def test_each_warehouse_sends_its_parcel_and_each_parcel_is_charged(shop: Shop, stack: Stack):
    near, far = shop.book(30), shop.book(5, warehouse="north")
    order = shop.place((near, 21), (far, 2))
    assert [
        (each["parcel_id"], each["warehouse"], [line["quantity"] for line in each["lines"]])
        for each in order["parcels"]
    ] == [
        (f"{order['order_id']}.1", "main", [20]),
        (f"{order['order_id']}.2", "main", [1]),
        (f"{order['order_id']}.3", "north", [2]),
    ]
    seen: set[tuple[str, str]] = set()

    def arrived(now: Order) -> bool:
        seen.add((now["fulfilment"], now["payment"]))
        return (now["fulfilment"], now["payment"]) == ("delivered", "captured")

    order = shop.becomes(order["order_id"], arrived)
    assert ("partially_shipped", "partially_captured") in seen
    assert len({parcel["tracking"] for parcel in order["parcels"]}) == 3
    captures = [entry for entry in stack.ledger(order["order_id"]) if entry.step == "capture"]
    assert sorted(entry.amount_minor for entry in captures) == [PRICE, 2 * PRICE, 20 * PRICE]
    shop.has_level(near, 9, 0)
    assert shop.get(f"/stock/{far}")["warehouse"] == "north"


def test_an_order_for_more_than_there_is_is_rejected_with_the_shortage(shop: Shop):
    scarce, plenty = shop.book(2), shop.book(9)
    order = shop.place((scarce, 3), (plenty, 1))
    assert order["status"] == "rejected"
    assert order["reason"]["code"] == "out_of_stock"
    [shortage] = order["reason"]["shortages"]
    assert (shortage["sku"], shortage["wanted"], shortage["available"]) == (scarce, 3, 2)
    shop.has_level(scarce, 2, 0)
    shop.has_level(plenty, 9, 0)  # all lines or none


def test_a_backorder_waits_for_its_goods(shop: Shop):
    sku = shop.book(1)
    order = shop.place((sku, 3), shortage="backorder")
    assert order["status"] == "on_hold"
    shop.receive(sku, 5)
    shop.becomes(order["order_id"], lambda seen: seen["status"] == "confirmed")
    shop.delivered(order["order_id"])
    shop.has_level(sku, 3, 0)


def test_a_final_decline_cancels_and_gives_the_stock_back(shop: Shop):
    sku = shop.book(4)
    order = shop.place((sku, 4), card="tok_decline")
    assert order["status"] == "cancelled"
    assert order["payment"] == "failed"
    assert order["totals"]["captured"] == 0
    shop.has_level(sku, 4, 0)


def test_a_decline_that_may_be_retried_keeps_the_stock_until_it_is_paid(shop: Shop):
    sku = shop.book(4)
    order = shop.place((sku, 4), card="tok_decline_insufficient")
    order_id = order["order_id"]
    assert (order["status"], order["payment"]) == ("awaiting_payment", "failed")
    shop.has_level(sku, 4, 4)
    again = shop.post(f"/orders/{order_id}/pay", {"payment_method": "tok_decline_insufficient"})
    assert again.json()["status"] == "awaiting_payment"
    paid = shop.post(f"/orders/{order_id}/pay", {"payment_method": "tok_approve"})
    assert paid.status_code == 200
    assert paid.json()["status"] == "confirmed"
    assert shop.delivered(order_id)["totals"]["captured"] == 4 * PRICE
    shop.has_level(sku, 0, 0)


def test_an_unpaid_order_can_be_cancelled(shop: Shop):
    sku = shop.book(4)
    order_id = shop.place((sku, 4), card="tok_decline_insufficient")["order_id"]
    cancelled = shop.post(f"/orders/{order_id}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    shop.has_level(sku, 4, 0)
    late = shop.post(f"/orders/{order_id}/pay", {"payment_method": "tok_approve"})
    assert problem(late) == (409, "order_closed")


def test_cancelling_the_whole_gives_stock_and_money_back(shop: Shop, target: Stack | str):
    sku = shop.book(50)
    order = in_time(shop, sku, None)
    assert order["status"] == "cancelled"
    assert order["totals"]["cancelled"] == order["totals"]["ordered"] == 3 * PRICE
    order_id = order["order_id"]
    order = shop.becomes(order_id, lambda seen: seen["payment"] in ("voided", "refunded"))
    assert order["totals"]["captured"] == order["totals"]["refunded"]
    if isinstance(target, Stack):
        held = target.taken(order_id, "authorize") - target.taken(order_id, "void")
        assert (held, target.taken(order_id, "capture")) == (0, 0)


def test_cancelling_a_part_sends_and_charges_the_rest(shop: Shop, stack: Stack):
    sku = shop.book(50)
    asked = {"lines": [{"line": 1, "quantity": 2}], "reason": "too many"}
    order = in_time(shop, sku, asked)
    assert order["lines"][0]["cancelled"] == 2
    order = shop.delivered(order["order_id"])
    assert order["totals"]["captured"] - order["totals"]["refunded"] == PRICE
    taken = stack.taken(order["order_id"], "capture") - stack.taken(order["order_id"], "refund")
    assert taken == PRICE
    assert sum(line["quantity"] for parcel in order["parcels"] for line in parcel["lines"]) >= 1


def test_a_part_of_a_held_order_gives_its_stock_back(shop: Shop):
    one, two = shop.book(4), shop.book(4)
    order = shop.place((one, 4), (two, 2), card="tok_decline_insufficient")
    asked = {"lines": [{"sku": one, "quantity": 3}]}
    left = shop.post(f"/orders/{order['order_id']}/cancel", asked)
    assert left.status_code == 200, left.text
    shop.has_level(one, 4, 1)
    paid = shop.post(f"/orders/{order['order_id']}/pay", {"payment_method": "tok_approve"})
    assert paid.json()["totals"]["authorized"] == 3 * PRICE
    shop.delivered(order["order_id"])
    shop.has_level(one, 3, 0)
    shop.has_level(two, 2, 0)


def test_after_the_hand_over_nothing_is_cancelled(shop: Shop):
    sku = shop.book(3)
    order = shop.delivered(shop.place((sku, 1))["order_id"])
    path = f"/orders/{order['order_id']}/cancel"
    assert problem(shop.post(path)) == (409, "already_shipped")
    a_part = {"lines": [{"line": 1, "quantity": 1}]}
    assert problem(shop.post(path, a_part)) == (409, "already_shipped")
    assert shop.order(order["order_id"])["totals"]["cancelled"] == 0


def test_a_return_is_paid_back_and_put_on_the_shelf(shop: Shop, stack: Stack):
    """Two of three come back; one of them is torn, so that it stays off the shelf."""
    sku = shop.book(4)
    order_id = shop.delivered(shop.place((sku, 3))["order_id"])["order_id"]
    asked = {"lines": [{"line": 1, "quantity": 2}], "reason": "torn"}
    assert shop.post(f"/orders/{order_id}/return", asked).status_code == 200
    for words in (("approve",), ("receive", "--unsellable", "1:1", "--condition", "one is torn")):
        verb, *options = words
        said = stack.quire("return", verb, order_id, "1", *options, "--wait", "20", "--json")
        assert said.code == 0, said.err
    order = shop.becomes(order_id, lambda seen: seen["totals"]["refunded"] == 2 * PRICE)
    assert (order["fulfilment"], order["payment"]) == ("partially_returned", "partially_refunded")
    assert stack.taken(order_id, "refund") == 2 * PRICE
    shop.has_level(sku, 2, 0)
    nobody_asked = shop.post(f"/orders/{order_id}/returns/9/receive", {"lines": asked["lines"]})
    assert problem(nobody_asked) == (404, "return_not_found")


def in_time(shop: Shop, sku: str, cancel: dict[str, Any] | None) -> Order:
    """Cancel an order for three before its hand-over; when the carrier was faster, another one."""
    for _ in range(TRIES):
        order_id = shop.place((sku, 3))["order_id"]
        answer = shop.post(f"/orders/{order_id}/cancel", cancel)
        order = shop.order(order_id)
        if answer.status_code == 200 and order["totals"]["cancelled"]:
            return order
    raise AssertionError(f"the carrier was faster {TRIES} times")
