"""What of an order can be cancelled, settled and sent back, one sentence each."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.deadlines import Arm, Periods, deadlines
from domain.message import LineQuantity, Parcel
from domain.order import messages as m
from domain.order.status import status_of
from tests.shop import line, pounds
from tests.spec import NOON
from tests.unit.domain.orders import (
    AGAIN,
    APPROVED,
    COMPLETED,
    DELIVERED,
    LAPSED,
    ONE_MUG,
    ORDER,
    PLACED,
    REQUESTED,
    RETURN,
    SETTLED,
    SHIPPED,
    STOPPING,
    TO_CONFIRMED,
    TO_DELIVERED,
    UNPAID,
    cancelled,
    given,
)


def test_cancelling_asks_the_parcels_first():
    given(*TO_CONFIRMED).when(m.CancelOrder(ORDER)).then(STOPPING)


@pytest.mark.parametrize(
    ("first", "asked"),
    [
        ((), (("o-1.1", 20), ("o-1.2", 5))),
        (("o-1.2",), (("o-1.2", 20), ("o-1.1", 5))),
        (("o-1.3", "o-1.2"), (("o-1.2", 20), ("o-1.3", 4), ("o-1.1", 1))),
        (("o-9.1",), (("o-1.1", 20), ("o-1.2", 5))),
    ],
)
def test_units_come_out_of_the_parcels_first_that_the_carrier_refused(first: Any, asked: Any):
    def mugs(quantity: int) -> Any:
        return (LineQuantity(1, "mug", quantity),)

    parcels = tuple(Parcel(f"o-1.{n}", mugs(units)) for n, units in ((1, 20), (2, 20), (3, 4)))
    placed = replace(PLACED, lines=(line(1, "mug", 44),), total=pounds(22_000), charges=())
    confirmed = m.OrderConfirmed(ORDER, pounds(22_000), parcels)
    cancel = m.CancelOrder(ORDER, mugs(25), parcels_first=first)
    given(placed, REQUESTED, confirmed).when(cancel).then(
        m.CancellationRequested(
            ORDER, 1, mugs(25), False, tuple(Parcel(name, mugs(units)) for name, units in asked)
        )
    )


def test_a_stopped_parcel_voids_and_releases():
    stopped = m.RecordShipmentCancelled(ORDER, "o-1.1", 1)
    given(*TO_CONFIRMED, STOPPING).when(stopped).then(cancelled(void=True, parcel_id="o-1.1"))


def test_a_parcel_that_has_left_refuses_the_cancellation():
    kept = given(*TO_CONFIRMED, STOPPING, SHIPPED).when(m.RecordShipmentKept(ORDER, "o-1.1", 1))
    kept.then(m.CancellationRefused(ORDER, 1, "already_shipped", "o-1.1"))


def test_void_and_release_both_have_to_come_back():
    going = given(*TO_CONFIRMED, STOPPING, cancelled(void=True, parcel_id="o-1.1"))
    released = m.RecordReservationReleased(ORDER, "cancel", "cancellation-1-o-1.1")
    half = going.when(released).then_types(m.OrderStockReleased)
    assert status_of(half.state)[0] == "cancelling"
    half.when(m.RecordAuthorizationVoided(ORDER)).then_types(m.OrderPaymentVoided, m.OrderCancelled)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((LineQuantity(3, "mug", 1),), "line_unknown"),
        ((LineQuantity(1, "pen", 1),), "line_unknown"),
        ((LineQuantity(1, "mug", 0),), "quantity_not_positive"),
        ((LineQuantity(1, "mug", 3),), "too_many"),
        ((LineQuantity(1, "mug", 1), LineQuantity(1, "mug", 2)), "too_many"),
    ],
)
def test_what_cannot_be_cancelled(lines: Any, code: str):
    given(*TO_CONFIRMED).when(m.CancelOrder(ORDER, lines)).then_refused(code)


def test_a_confirmed_order_cannot_be_held():
    given(*TO_CONFIRMED).when(m.HoldOrder(ORDER)).then_refused("already_confirmed")


def test_a_lapsed_authorisation_is_asked_for_anew():
    given(*TO_CONFIRMED).when(m.RecordAuthorizationExpired(ORDER)).then(AGAIN, LAPSED)


def test_without_the_money_the_parcels_are_stopped():
    declined = m.RecordPaymentDeclined(ORDER, 2, "card_declined", True)
    again = given(*TO_CONFIRMED, AGAIN, LAPSED).when(declined)
    again.then_types(m.PaymentAttemptFailed, m.CancellationRequested)


@pytest.mark.parametrize(
    "command", [m.SettleOrder(ORDER), m.SettleOrder(ORDER, write_off=True)], ids=["again", "let go"]
)
def test_only_what_is_owed_can_be_settled(command: m.SettleOrder):
    given(*TO_DELIVERED).when(command).then_refused("nothing_owed")


def test_what_could_not_be_captured_is_asked_again():
    unpaid = given(*TO_CONFIRMED, SHIPPED, UNPAID)
    again = m.OrderPaymentRetried(ORDER, "capture", "o-1.1", pounds(1_550), 1, True)
    unpaid.when(m.SettleOrder(ORDER)).then(again)


def test_or_is_authorised_anew_on_another_card_and_then_captured():
    unpaid = given(*TO_CONFIRMED, SHIPPED, UNPAID)
    asked = m.PaymentRequested(ORDER, 2, pounds(1_550), "tok_other", replaces=True)
    waits = unpaid.when(m.SettleOrder(ORDER, "tok_other")).then(asked)
    waits.when(m.SettleOrder(ORDER, write_off=True)).then_refused("payment_under_way")
    waits.when(m.RecordPaymentAuthorized(ORDER, 2, pounds(1_550))).then(
        m.OrderAuthorizedAnew(ORDER, 2, pounds(1_550)),
        m.OrderPaymentRetried(ORDER, "capture", "o-1.1", pounds(1_550), 1, True),
    )


def test_a_capture_that_was_too_late_is_authorised_anew_by_itself():
    expired = m.RecordCaptureFailed(ORDER, "o-1.1", "authorization_expired")
    given(*TO_CONFIRMED, SHIPPED).when(expired).then(
        UNPAID, m.PaymentRequested(ORDER, 2, pounds(1_550), "tok_approve", replaces=True)
    )


def test_what_is_let_go_closes_the_order_with_its_window():
    unpaid = given(*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED)
    open_ = unpaid.when(m.CompleteOrder(ORDER)).then(m.ReturnWindowEnded(ORDER, "payment_failed"))
    written_off = m.OrderWrittenOff(
        ORDER, pounds(1_550), pounds(0), "cannot be found", 1, "c-1", "sealed"
    )
    let_go = open_.when(m.SettleOrder(ORDER, write_off=True, reason="cannot be found"))
    let_go.then(written_off, m.AuthorizationNotNeeded(ORDER)).when(
        m.RecordAuthorizationVoided(ORDER)
    ).then(m.OrderPaymentVoided(ORDER), m.OrderCompleted(ORDER, pounds(1_550)))


def test_a_refund_that_failed_keeps_the_order_open_until_it_is_out():
    failed = m.RecordRefundFailed(ORDER, "return-1", "no")
    owing = given(*TO_DELIVERED, RETURN, APPROVED, SETTLED).when(failed)
    open_ = owing.then(m.OrderPaymentFailed(ORDER, "refund", "return-1", "no", pounds(500)))
    ended = open_.when(m.CompleteOrder(ORDER)).then(m.ReturnWindowEnded(ORDER, "payment_failed"))
    again = m.OrderPaymentRetried(ORDER, "refund", "return-1", pounds(500), 1)
    out = ended.when(m.SettleOrder(ORDER)).then(again)
    out.when(m.RecordPaymentRefunded(ORDER, "return-1", pounds(500))).then(
        m.OrderRefunded(ORDER, "return-1", pounds(500), "c-1", "sealed"), COMPLETED
    )


def test_goods_that_were_not_paid_and_come_back_are_not_owed_any_more():
    unpaid = given(*TO_CONFIRMED, SHIPPED, UNPAID, DELIVERED, RETURN, APPROVED)
    unpaid.when(m.RecordReturnReceived(ORDER, 1, ONE_MUG)).then(
        m.ReturnSettled(ORDER, 1, ONE_MUG, pounds(0), "return-1", pounds(500))
    )


@pytest.mark.parametrize("arrived", [True, False])
def test_the_window_begins_when_the_last_parcel_on_its_way_is_cancelled(arrived: bool):
    mugs, pens = (LineQuantity(1, "mug", 2),), (LineQuantity(2, "pen", 3),)
    parcels = (Parcel("o-1.1", mugs), Parcel("o-1.2", pens))
    shipped = m.OrderShipped(ORDER, "o-1.1", mugs, pounds(1_250))
    came = (m.OrderDelivered(ORDER, "o-1.1", False),) if arrived else ()
    history = (PLACED, REQUESTED, m.OrderConfirmed(ORDER, pounds(1_550), parcels), shipped, *came)
    asked = given(*history).when(m.CancelOrder(ORDER, pens)).then_types(m.CancellationRequested)
    [gone] = asked.when(m.RecordShipmentCancelled(ORDER, "o-1.2", 1)).facts
    assert gone.complete is arrived
    assert bool(deadlines(gone, NOON, Periods())) is arrived


def test_after_hand_over_there_is_only_a_return():
    given(*TO_DELIVERED).when(m.CancelOrder(ORDER)).then_refused("already_shipped")
    given(*TO_DELIVERED).when(m.CancelOrder(ORDER, ONE_MUG)).then_refused("already_shipped")


def test_an_import_returns_what_was_completed():
    done = given(*TO_DELIVERED, COMPLETED)
    done.when(m.RequestReturn(ORDER, ONE_MUG)).then_refused("return_window_closed")
    asked = done.when(m.RequestReturn(ORDER, ONE_MUG, window="none")).then(RETURN)
    approved = asked.when(m.ApproveReturn(ORDER, 1)).then_types(m.ReturnApproved)
    came = approved.when(m.RecordReturnReceived(ORDER, 1, ONE_MUG))
    settled = came.then(m.ReturnSettled(ORDER, 1, ONE_MUG, pounds(500), "return-1"))
    refunded = m.RecordPaymentRefunded(ORDER, "return-1", pounds(500))
    end = settled.when(refunded).then_types(m.OrderRefunded)
    assert status_of(end.state) == ("completed", "partially_returned", "partially_refunded")


def test_an_approved_return_can_be_refused_until_its_goods_came():
    history = (*TO_DELIVERED, RETURN, APPROVED)
    refuse = m.RefuseReturn(ORDER, 1, "not_received")
    given(*history).when(refuse).then(m.ReturnRefused(ORDER, 1, "not_received"))
    given(*history, SETTLED).when(refuse).then_refused("return_closed")


def test_only_an_open_order_waits_for_the_goods_of_a_return():
    [approved] = given(*TO_DELIVERED, RETURN).when(m.ApproveReturn(ORDER, 1)).facts
    assert [type(one) for one in deadlines(approved, NOON, Periods())] == [Arm]
    [approved] = given(*TO_DELIVERED, COMPLETED, RETURN).when(m.ApproveReturn(ORDER, 1)).facts
    assert deadlines(approved, NOON, Periods()) == []


def test_more_than_came_cannot_go_back():
    too_many = (LineQuantity(1, "mug", 3),)
    given(*TO_DELIVERED).when(m.RequestReturn(ORDER, too_many)).then_refused("too_many")
