"""Mail really leaves: one for each turn of an order, in the customer's language."""

from uuid import uuid4

from tests.acceptance.shop import Shop
from tests.acceptance.stack import Stack
from tests.acceptance.wait import until


def test_an_order_causes_one_mail_at_each_turn(shop: Shop, stack: Stack):
    email = f"{uuid4().hex[:10]}@orchard.example"
    placed = shop.place((shop.book(4), 1), contact={"name": "Ada", "email": email})
    shop.delivered(placed["order_id"])
    until(lambda: len(stack.mails_to(email)) == 3, 30, lambda: stack.mails_to(email))
    mails = stack.mails_to(email)
    assert [mail.times for mail in mails] == [1, 1, 1]
    assert all(placed["order_id"] in mail.subject for mail in mails)
    assert "Hello Ada," in stack.text_of(mails[-1])


def test_a_mail_is_in_the_language_of_the_order(shop: Shop, stack: Stack):
    email = f"{uuid4().hex[:10]}@orchard.example"
    contact = {"name": "李明", "email": email}
    shop.place((shop.book(4), 1), contact=contact, language="zh-CN")
    until(lambda: len(stack.mails_to(email)) > 0, 30)
    assert "已确认" in stack.mails_to(email)[-1].subject


def test_who_wants_no_mail_gets_none(shop: Shop, stack: Stack):
    email, customer = f"{uuid4().hex[:10]}@orchard.example", f"c-{uuid4().hex[:10]}"
    chosen = shop.http.put(
        f"/customers/{customer}/preferences", json={"channels": []}, headers={"Prefer": "wait=20"}
    )
    assert chosen.status_code == 200
    contact = {"name": "Ada", "email": email}
    placed = shop.place((shop.book(4), 1), customer_id=customer, contact=contact)
    done = shop.delivered(placed["order_id"])
    assert stack.mails_to(email) == []
    assert done["order_id"] == placed["order_id"]
