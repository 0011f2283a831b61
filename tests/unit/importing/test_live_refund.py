"""A live refund of an imported payment is a fact for a person: no provider is asked."""

from datetime import UTC, datetime

from cli.importing.history import SOURCE, History
from domain.inventory.messages import ReceiveStock
from domain.message import Line, LineQuantity, Money
from domain.order.messages import PlaceOrder, RecordDelivered, RecordHandedOver, RequestReturn
from domain.payment.asking import IMPORTED
from domain.payment.decider import ask, decide, decider
from domain.payment.messages import PaymentAuthorized, PaymentCaptured, RefundFailed, RefundPayment

AT = datetime(2010, 12, 1, tzinfo=UTC)
POUND = Money(100, "GBP")
REFUND = RefundPayment("uci-1", "return-1", POUND)


def test_a_live_refund_of_an_imported_payment_asks_nobody():
    assert SOURCE.startswith(IMPORTED)
    state = decider.fold(
        [
            PaymentAuthorized("uci-1", 1, POUND, SOURCE),
            PaymentCaptured("uci-1", "uci-1.1", POUND, SOURCE),
        ]
    )
    assert ask(REFUND, state, "id") is None
    assert decide(REFUND, state) == [RefundFailed("uci-1", "return-1", POUND, "imported_payment")]


def test_the_import_itself_records_the_refund_that_was_made():
    history = History()
    history.begin({}, AT)
    lines = (Line(1, "12345", 1, POUND),)
    history.play(ReceiveStock("12345", 1), AT, "t")
    history.play(PlaceOrder("uci-1", lines, "GBP", SOURCE, "c"), AT, "t")
    history.play(RecordHandedOver("uci-1", "uci-1.1"), AT, "t")
    history.play(RecordDelivered("uci-1", "uci-1.1"), AT, "t")
    back = (LineQuantity(1, "12345", 1),)
    history.play(RequestReturn("uci-1", back, "", "none"), AT, "t")
    payments = [fact.type for fact in history.facts if fact.stream == "payment-uci-1"]
    assert payments[-1] == "quire.payment.refunded.v1"
    assert history.stock["12345"].level.on_hand == 1
    assert history.facts[-1].stream == "order-uci-1"
