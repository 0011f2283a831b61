"""The order's rules until its parcels leave, one sentence each."""

from typing import Any

import pytest

from domain.message import Charge, Shortage
from domain.order import messages as m
from domain.order.status import status_of
from tests.shop import line, place, pounds
from tests.unit.domain.orders import (
    CONFIRMED,
    DECLINED,
    DELIVERED,
    LINES,
    ORDER,
    PLACE,
    PLACED,
    POSTAGE,
    REQUESTED,
    SHIPPED,
    TO_CONFIRMED,
    given,
)


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
