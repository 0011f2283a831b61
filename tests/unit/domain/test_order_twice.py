"""Hearing a command twice changes nothing, and a stranger's nothing at all."""

from typing import Any

import pytest

from domain.message import LineQuantity
from domain.order import messages as m
from tests.shop import place, pounds
from tests.unit.domain.orders import (
    AGAIN,
    APPROVED,
    BACKORDERED,
    DECLINED,
    DELIVERED,
    HELD,
    HELD_PAID,
    LAPSED,
    LINES,
    ONE_MUG,
    ORDER,
    PLACE,
    PLACED,
    REQUESTED,
    RETURN,
    SETTLED,
    SHIPPED,
    STOPPING,
    TO_CONFIRMED,
    TO_DELIVERED,
    UNPAID,
    VOIDING,
    given,
)


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((), PLACE),
        ((PLACED,), m.RecordStockReserved(ORDER)),
        ((PLACED,), m.RecordStockShort(ORDER, ())),
        ((PLACED,), m.RecordBackordered(ORDER, ())),
        ((PLACED,), m.CancelOrder(ORDER)),
        ((PLACED, REQUESTED), m.CancelOrder(ORDER)),
        ((PLACED, REQUESTED), m.RecordPaymentAuthorized(ORDER, 1, pounds(1_550))),
        ((PLACED, REQUESTED), m.RecordAuthenticationRequired(ORDER, 1, "https://3ds.test")),
        ((PLACED, REQUESTED), m.RecordPaymentDeclined(ORDER, 1, "no", True)),
        ((PLACED, REQUESTED), m.RecordPaymentDeclined(ORDER, 1, "no", False)),
        ((PLACED, REQUESTED, DECLINED), m.PayOrder(ORDER, "tok_other")),
        ((PLACED, REQUESTED, DECLINED), m.ExpireOrder(ORDER)),
        ((PLACED, REQUESTED, DECLINED), m.ExpireOrder(ORDER, last=True)),
        ((PLACED, REQUESTED), m.ExpireOrder(ORDER, last=True)),
        ((PLACED, BACKORDERED), m.ExpireOrder(ORDER, "backorder")),
        ((PLACED, BACKORDERED), m.RecordStockReserved(ORDER)),
        ((PLACED, REQUESTED), m.HoldOrder(ORDER)),
        ((PLACED, REQUESTED, HELD), m.ReleaseHold(ORDER)),
        ((PLACED, REQUESTED, HELD), m.RecordPaymentAuthorized(ORDER, 1, pounds(1_550))),
        ((PLACED, REQUESTED, HELD_PAID), m.ReleaseHold(ORDER)),
        ((PLACED, REQUESTED, HELD_PAID), m.CancelOrder(ORDER)),
        ((PLACED, REQUESTED, HELD_PAID), m.RecordAuthorizationExpired(ORDER)),
        ((*TO_CONFIRMED, AGAIN, LAPSED), m.RecordPaymentAuthorized(ORDER, 2, pounds(1_550))),
        ((*TO_CONFIRMED, AGAIN, LAPSED), m.RecordPaymentDeclined(ORDER, 2, "no", True)),
        ((*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED), m.CompleteOrder(ORDER)),
        ((*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED), m.SettleOrder(ORDER)),
        ((*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED), m.SettleOrder(ORDER, write_off=True)),
        ((*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED), m.SettleOrder(ORDER, "tok_other")),
        (TO_CONFIRMED, m.RecordAuthorizationExpired(ORDER)),
        (TO_CONFIRMED, m.RecordHandedOver(ORDER, "o-1.1")),
        (TO_CONFIRMED, m.RecordDelivered(ORDER, "o-1.1")),
        ((*TO_CONFIRMED, SHIPPED), m.RecordParcelLost(ORDER, "o-1.1", "lost")),
        ((*TO_CONFIRMED, SHIPPED), m.RecordPaymentCaptured(ORDER, "o-1.1", pounds(1_550))),
        ((*TO_CONFIRMED, SHIPPED), m.RecordCaptureFailed(ORDER, "o-1.1", "no")),
        ((*TO_CONFIRMED, STOPPING), m.RecordShipmentCancelled(ORDER, "o-1.1", 1)),
        ((*TO_CONFIRMED, STOPPING), m.RecordShipmentKept(ORDER, "o-1.1", 1)),
        (
            (*TO_CONFIRMED, STOPPING, VOIDING),
            m.RecordReservationReleased(ORDER, "cancel", "cancellation-1-o-1.1"),
        ),
        ((*TO_CONFIRMED, STOPPING, VOIDING), m.RecordAuthorizationVoided(ORDER)),
        (TO_DELIVERED, m.CompleteOrder(ORDER)),
        ((*TO_DELIVERED, RETURN), m.CompleteOrder(ORDER)),
        (TO_DELIVERED, m.RequestReturn(ORDER, (LineQuantity(1, "mug", 2),))),
        ((*TO_DELIVERED, RETURN), m.ApproveReturn(ORDER, 1)),
        ((*TO_DELIVERED, RETURN), m.RefuseReturn(ORDER, 1)),
        ((*TO_DELIVERED, RETURN, APPROVED), m.RefuseReturn(ORDER, 1)),
        ((*TO_DELIVERED, RETURN, APPROVED), m.RecordReturnReceived(ORDER, 1, ONE_MUG)),
        (
            (*TO_DELIVERED, RETURN, APPROVED, SETTLED),
            m.RecordPaymentRefunded(ORDER, "return-1", pounds(500)),
        ),
        ((*TO_DELIVERED, RETURN, APPROVED, SETTLED), m.RecordRefundFailed(ORDER, "return-1", "no")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, m.OrderCommand) else "",
)
def test_twice(history: tuple[Any, ...], command: Any):
    given(*history).when(command).twice_writes_nothing()


def test_confirming_twice():
    invoice = given().when(place(ORDER, *LINES, method="")).then_types(m.OrderPlaced)
    invoice.when(m.ConfirmOrder(ORDER)).twice_writes_nothing()


@pytest.mark.parametrize(
    "command",
    [m.CancelOrder(ORDER), m.PayOrder(ORDER, "tok"), m.HoldOrder(ORDER), m.ConfirmOrder(ORDER)],
    ids=lambda value: type(value).__name__,
)
def test_nobody_knows_that_order(command: Any):
    given().when(command).then_refused("order_unknown")
