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


def test_a_refund_that_a_person_wrote_off_is_told_once_for_each_time():
    failed = m.OrderPaymentFailed(ORDER, "refund", "return-1", "no", pounds(500))
    history = (PLACED, CONFIRMED, RETURN, PROMISES["return-1"], failed)
    write_off = m.SettleOrder(ORDER, write_off=True, reason="sent a cheque")
    done = given(*history).when(write_off)
    [mail] = [mail for fact in done.facts for mail in mails(fact)]
    assert mail == Notify(
        "o-1.order_refunded_otherwise.email.1", ORDER, "order_refunded_otherwise", "email",
        "c-1", "sealed", "zh", {"amount": "500 GBP"},
    )  # fmt: skip
    settled = given(*history, *done.facts)
    settled.when(write_off).then_refused("nothing_owed")
    promised = m.ReturnSettled(ORDER, 2, MUG, pounds(300), "return-2")
    second = m.ReturnRequested(ORDER, 2, MUG)
    again = m.OrderPaymentFailed(ORDER, "refund", "return-2", "no", pounds(300))
    later = given(*history, *done.facts, second, promised, again).when(write_off)
    names = [mail.notification_id for fact in later.facts for mail in mails(fact)]
    assert names == ["o-1.order_refunded_otherwise.email.2"]


def test_who_does_not_have_to_pay_any_more_hears_it_from_a_person():
    let_go = m.OrderWrittenOff(ORDER, pounds(500), pounds(0), "paid cash")
    assert mails(let_go) == []


def test_a_refund_that_failed_is_not_told():
    failed = m.RecordRefundFailed(ORDER, "return-1", "no")
    facts = given(PLACED, CONFIRMED, RETURN, PROMISES["return-1"]).when(failed).facts
    assert facts
    assert [mail for fact in facts for mail in mails(fact)] == []
