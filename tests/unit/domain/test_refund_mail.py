"""Customers hear of money that was given back: once for each refund, whatever it is for."""

import pytest

from domain.fulfilment import react
from domain.message import LineQuantity, Parcel
from domain.notification.messages import Notify
from domain.order import messages as m
from domain.order.decider import decider
from tests.shop import line, pounds
from tests.spec import Spec

given = Spec(decider).given

ORDER = "o-1"
LINES = (line(1, "mug", 2), line(2, "pen", 3, 100))
MUG = (LineQuantity(1, "mug", 1),)
PLACED = m.OrderPlaced(ORDER, LINES, pounds(1_300), "tok_approve", "c-1", "sealed", "zh")
CONFIRMED = m.OrderConfirmed(ORDER, pounds(1_300), (Parcel("o-1.1", MUG),), "c-1", "sealed", "zh")
RETURN = m.ReturnRequested(ORDER, 1, MUG)
PROMISES = {
    "cancellation-1": m.OrderLinesCancelled(ORDER, 1, MUG, pounds(500), pounds(500)),
    "lost-o-1.1": m.OrderParcelLost(
        ORDER, "o-1.1", "lost", MUG, pounds(500), "lost-o-1.1", complete=True
    ),
    "return-1": m.ReturnSettled(ORDER, 1, MUG, pounds(500), "return-1"),
}


def mails(event: m.OrderEvent) -> list[Notify]:
    return [one.command for one in react(event) if isinstance(one.command, Notify)]


@pytest.mark.parametrize("refund_id", PROMISES)
def test_a_refund_is_told_when_it_is_made_and_not_when_it_is_promised(refund_id: str):
    promise = PROMISES[refund_id]
    assert mails(promise) == []
    record = m.RecordPaymentRefunded(ORDER, refund_id, pounds(500))
    history = (PLACED, CONFIRMED, RETURN, promise)
    facts = given(*history).when(record).facts
    [mail] = [mail for fact in facts for mail in mails(fact)]
    assert mail == Notify(
        f"o-1.order_refunded.email.{refund_id}", ORDER, "order_refunded", "email",
        "c-1", "sealed", "zh", {"amount": "500 GBP", "reason": refund_id.partition("-")[0]},
    )  # fmt: skip
    assert m.OrderRefunded not in map(type, given(*history, *facts).when(record).facts)


def test_each_refund_of_an_order_has_a_mail_of_its_own():
    told = {mails(m.OrderRefunded(ORDER, id, pounds(500)))[0].stream for id in PROMISES}
    assert len(told) == len(PROMISES)


def test_a_refund_that_failed_is_not_told():
    failed = m.RecordRefundFailed(ORDER, "return-1", "no")
    facts = given(PLACED, CONFIRMED, RETURN, PROMISES["return-1"]).when(failed).facts
    assert facts
    assert [mail for fact in facts for mail in mails(fact)] == []
