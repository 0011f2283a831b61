"""The payment provider behaves as real ones do, and every order still ends as it should."""

import httpx

from tests.acceptance.shop import PRICE, Shop
from tests.acceptance.stack import Json, Stack


def asked(shop: Shop) -> Json:
    """An order whose customer has to confirm the payment on the provider's page."""
    order = shop.place((shop.book(5), 2), card="tok_3ds")
    assert (order["status"], order["payment"]) == ("awaiting_payment", "requires_action")
    return order


def test_the_customer_confirms_and_the_order_goes_on(shop: Shop, stack: Stack):
    order = asked(shop)
    page = order["reason"]["url"]
    assert f"{2 * PRICE / 100:.2f} " in httpx.get(page).text
    for _ in range(2):  # pressed twice
        httpx.post(f"{page}/confirm").raise_for_status()
    order = shop.delivered(order["order_id"])
    assert order["totals"]["captured"] == 2 * PRICE
    assert stack.taken(order["order_id"], "authorize") == 2 * PRICE
    assert stack.taken(order["order_id"], "capture") == 2 * PRICE


def test_the_customer_refuses_and_can_pay_again(shop: Shop, stack: Stack):
    order = asked(shop)
    httpx.post(f"{order['reason']['url']}/refuse").raise_for_status()
    shop.becomes(order["order_id"], lambda seen: seen["payment"] == "failed")
    assert stack.taken(order["order_id"], "authorize") == 0
    shop.post(f"/orders/{order['order_id']}/pay", {"payment_method": "tok_approve"}, wait=20)
    shop.becomes(order["order_id"], lambda seen: seen["status"] == "confirmed")


def test_an_answer_that_is_lost_charges_nobody_twice(shop: Shop, stack: Stack):
    order_id = shop.place((shop.book(5), 1), card="tok_timeout")["order_id"]
    shop.delivered(order_id)
    facts = shop.get(f"/orders/{order_id}/timeline")["facts"]
    types = [fact["type"] for fact in facts]
    assert types.count("quire.payment.outcome_unknown.v1") == 1
    assert types.count("quire.payment.authorized.v1") == 1
    assert stack.taken(order_id, "authorize") == stack.taken(order_id, "capture") == PRICE


def test_what_the_log_says_is_what_the_provider_did(stack: Stack):
    said = stack.quire("audit", "reconcile", "--json", "--settle-seconds", "5")
    assert said.code == 0, said.out
    assert said.json["differences"] == []


def test_an_outage_as_it_is_shown(stack: Stack):
    said = stack.quire("demo", "provider-down", "--seconds", "5", "--orders", "3", "--json")
    assert said.code == 0, said.err
    told = said.json
    assert (told["ok"], told["confirmed"], told["authorized_once"]) == (True, 3, 3)
    assert told["attempts"] >= 3
