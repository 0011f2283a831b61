"""The order's rules, one sentence each."""

from typing import Any

import pytest

from domain.deadlines import Arm, Periods, deadlines
from domain.message import Charge, LineQuantity, Parcel, Shortage
from domain.order import messages as m
from domain.order.decider import decider
from domain.order.status import status_of
from tests.shop import line, place, pounds
from tests.spec import NOON, Spec

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


def cancelled(**more: Any) -> m.OrderLinesCancelled:
    facts: dict[str, Any] = {"void": False, "whole": True, **more}
    return m.OrderLinesCancelled(ORDER, 1, ALL, pounds(1_300), pounds(0), **facts)


def test_placing_adds_up_lines_and_charges():
    given().when(PLACE).then(PLACED)


def test_the_same_order_again_changes_nothing_though_it_was_sealed_anew():
    again = place(ORDER, *LINES, charges=(POSTAGE,), contact="sealed otherwise")
    given(PLACED).when(again).then_nothing()


def test_another_order_under_the_same_id_is_refused():
    given(PLACED).when(place(ORDER, line(1, "mug", 1))).then_refused("order_exists")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((), "no_lines"),
        ((line(1, "mug", 0),), "quantity_not_positive"),
        ((line(1, "mug", -1),), "quantity_not_positive"),
        ((line(1, "mug", 2**63),), "quantity_too_large"),
        ((line(1, "mug", 2**62, 5),), "total_too_large"),
        ((line(1, "mug", 1, -5),), "price_negative"),
        ((line(1, "", 1),), "sku_missing"),
        ((line(1, "mug", 1), line(1, "pen", 1)), "lines_misnumbered"),
        ((line(0, "mug", 1),), "lines_misnumbered"),
        (tuple(line(n, "mug", 1) for n in range(1, 2_002)), "too_many_lines"),
    ],
)
def test_what_cannot_be_ordered(lines: Any, code: str):
    given().when(place(ORDER, *lines)).then_refused(code)


@pytest.mark.parametrize("order_id", ["a.1", ".", "x" * 201, "a\nb", "a\0", "\ud800", "a\u200bb"])
def test_an_order_id_that_cannot_name_streams_is_refused(order_id: str):
    given().when(place(order_id, line(1, "mug", 1))).then_refused("order_id_unfit")


def test_an_order_id_of_two_hundred_characters_passes():
    given().when(place("ö" * 200, line(1, "mug", 1))).then_types(m.OrderPlaced)


def test_a_discount_beyond_the_total_is_refused():
    charges = (Charge("voucher", pounds(-501)),)
    given().when(place(ORDER, line(1, "mug", 1), charges=charges)).then_refused("total_negative")


def test_two_thousand_lines_pass():
    lines = [line(n, f"sku-{n}", 1) for n in range(1, 2_001)]
    given().when(place(ORDER, *lines)).then_types(m.OrderPlaced)


def test_reserved_stock_asks_for_the_money():
    given(PLACED).when(m.RecordStockReserved(ORDER)).then(REQUESTED)


def test_what_costs_nothing_is_confirmed_without_asking():
    gift = place(ORDER, line(1, "mug", 1, 0))
    placed = given().when(gift).then_types(m.OrderPlaced)
    placed.when(m.RecordStockReserved(ORDER)).then_types(m.OrderConfirmed)


def test_short_stock_rejects():
    short = (Shortage("mug", 2, 1),)
    rejected = m.OrderRejected(ORDER, "out_of_stock", short, "c-1", "sealed")
    given(PLACED).when(m.RecordStockShort(ORDER, short)).then(rejected)


def test_the_money_confirms():
    paid = m.RecordPaymentAuthorized(ORDER, 1, pounds(1_550))
    given(PLACED, REQUESTED).when(paid).then(CONFIRMED)


def test_an_answer_to_an_earlier_attempt_says_nothing():
    second = m.PaymentRequested(ORDER, 2, pounds(1_550), "tok_other")
    late = m.RecordPaymentAuthorized(ORDER, 1, pounds(1_550))
    given(PLACED, REQUESTED, DECLINED, second).when(late).then_nothing()


def test_an_order_does_not_expire_while_the_provider_is_asked():
    given(PLACED, REQUESTED).when(m.ExpireOrder(ORDER)).then_nothing()


def test_when_the_time_is_up_the_answer_that_is_awaited_is_the_last():
    last = m.ExpireOrder(ORDER, last=True)
    ended = given(PLACED, REQUESTED).when(last).then(m.PaymentWindowEnded(ORDER))
    ended.when(last).then_nothing()
    ended.when(m.RecordPaymentAuthorized(ORDER, 1, pounds(1_550))).then(CONFIRMED)
    declined = ended.when(m.RecordPaymentDeclined(ORDER, 1, "card_declined", True))
    gone = declined.then_types(m.PaymentAttemptFailed, m.OrderLinesCancelled)
    assert (gone.state.ending, gone.state.ending_reason) == ("expiry", "unpaid")


def test_expiry_gives_the_stock_back_first():
    unpaid = given(PLACED, REQUESTED, DECLINED).when(m.ExpireOrder(ORDER))
    going = unpaid.then_types(m.OrderLinesCancelled)
    back = m.RecordReservationReleased(ORDER, "expiry", "cancellation-1")
    gone = going.when(back).then_types(m.OrderStockReleased, m.OrderExpired)
    assert status_of(gone.state)[0] == "expired"


def test_what_needs_no_payment_is_confirmed_by_hand():
    invoice = given().when(place(ORDER, *LINES, method="")).then_types(m.OrderPlaced)
    invoice.when(m.ConfirmOrder(ORDER)).then_types(m.OrderConfirmed)
    reserved = invoice.when(m.RecordStockReserved(ORDER)).then_types(m.PaymentRequested)
    confirmed = reserved.when(m.ConfirmOrder(ORDER)).then_types(m.OrderConfirmed)
    missing = m.RecordPaymentDeclined(ORDER, 1, "payment_method_missing", True)
    confirmed.when(missing).then_nothing()
    declined = reserved.when(missing).then_types(m.PaymentAttemptFailed)
    declined.when(m.ConfirmOrder(ORDER)).then_types(m.OrderConfirmed)
    paying = declined.when(m.PayOrder(ORDER, "tok_other")).then_types(m.PaymentRequested)
    paying.when(m.ConfirmOrder(ORDER)).then_refused("payment_needed")
    confirmed.when(m.ConfirmOrder(ORDER)).then_nothing()


def test_a_card_cannot_be_skipped():
    given(PLACED).when(m.ConfirmOrder(ORDER)).then_refused("payment_needed")


def test_charges_go_with_the_first_parcel():
    given(*TO_CONFIRMED).when(m.RecordHandedOver(ORDER, "o-1.1")).then(SHIPPED)


def test_a_delivery_says_that_it_was_handed_over():
    given(*TO_CONFIRMED).when(m.RecordDelivered(ORDER, "o-1.1")).then(SHIPPED, DELIVERED)


def test_cancelling_asks_the_parcels_first():
    given(*TO_CONFIRMED).when(m.CancelOrder(ORDER)).then(STOPPING)


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
    written_off = m.OrderWrittenOff(ORDER, pounds(1_550), pounds(0), "cannot be found")
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


HELD = m.OrderHeld(ORDER, "manual")
HELD_PAID = m.OrderHeld(ORDER, "manual", (), pounds(1_550))
AGAIN = m.PaymentRequested(ORDER, 2, pounds(1_550), "tok_approve")
LAPSED = m.OrderHeld(ORDER, "authorization_expired")
UNPAID = m.OrderPaymentFailed(ORDER, "capture", "o-1.1", "authorization_expired", pounds(1_550))
BACKORDERED = m.OrderHeld(ORDER, "backorder", (Shortage("mug", 2, 1),))
APPROVED = m.ReturnApproved(ORDER, 1, ONE_MUG)
SETTLED = m.ReturnSettled(ORDER, 1, ONE_MUG, pounds(500), "return-1")
VOIDING = cancelled(void=True, parcel_id="o-1.1")


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
