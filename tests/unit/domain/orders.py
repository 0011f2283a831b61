"""The facts of one order with which its rules begin."""

from typing import Any

from domain.message import Charge, LineQuantity, Parcel, Shortage
from domain.order import messages as m
from domain.order.decider import decider
from tests.shop import line, place, pounds
from tests.spec import Spec

given = Spec(decider).given

ORDER = "o-1"
LINES = (line(1, "mug", 2), line(2, "pen", 3, 100))
ALL = (LineQuantity(1, "mug", 2), LineQuantity(2, "pen", 3))
PARCEL = Parcel("o-1.1", ALL)
POSTAGE = Charge("postage", pounds(250))
PLACE = place(ORDER, *LINES, charges=(POSTAGE,))
PLACED = m.OrderPlaced(
    ORDER, LINES, pounds(1_550), "tok_approve", "c-1", "sealed", charges=(POSTAGE,)
)
REQUESTED = m.PaymentRequested(ORDER, 1, pounds(1_550), "tok_approve")
CONFIRMED = m.OrderConfirmed(ORDER, pounds(1_550), (PARCEL,), "c-1", "sealed")
SHIPPED = m.OrderShipped(ORDER, "o-1.1", ALL, pounds(1_550), True, "c-1", "sealed")
PAID = m.OrderPaid(ORDER, "o-1.1", pounds(1_550))
DELIVERED = m.OrderDelivered(ORDER, "o-1.1", True, "c-1", "sealed")
COMPLETED = m.OrderCompleted(ORDER)
TO_CONFIRMED = (PLACED, REQUESTED, CONFIRMED)
TO_DELIVERED = (*TO_CONFIRMED, SHIPPED, PAID, DELIVERED)
ONE_MUG = (LineQuantity(1, "mug", 1),)
RETURN = m.ReturnRequested(ORDER, 1, ONE_MUG)
DECLINED = m.PaymentAttemptFailed(ORDER, 1, "card_declined", True)
STOPPING = m.CancellationRequested(ORDER, 1, ALL, True, (PARCEL,))
HELD = m.OrderHeld(ORDER, "manual")
HELD_PAID = m.OrderHeld(ORDER, "manual", (), pounds(1_550))
AGAIN = m.PaymentRequested(ORDER, 2, pounds(1_550), "tok_approve")
LAPSED = m.OrderHeld(ORDER, "authorization_expired")
UNPAID = m.OrderPaymentFailed(ORDER, "capture", "o-1.1", "authorization_expired", pounds(1_550))
BACKORDERED = m.OrderHeld(ORDER, "backorder", (Shortage("mug", 2, 1),))
APPROVED = m.ReturnApproved(ORDER, 1, ONE_MUG)
SETTLED = m.ReturnSettled(ORDER, 1, ONE_MUG, pounds(500), "return-1")


def cancelled(**more: Any) -> m.OrderLinesCancelled:
    facts: dict[str, Any] = {"void": False, "whole": True, **more}
    return m.OrderLinesCancelled(ORDER, 1, ALL, pounds(1_300), pounds(0), **facts)


VOIDING = cancelled(void=True, parcel_id="o-1.1")
