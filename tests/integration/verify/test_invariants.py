"""What must hold of versions, causes, money and stock is looked at, too."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.inventory.messages import ReservationCommitted, StockReceived, StockReserved
from domain.message import Money, SkuQuantity
from domain.payment.messages import PaymentCaptured, PaymentRefunded
from store.invariants import Paid
from tests.integration.verify.world import AT, GBP, Log, a_sale, with_three_sales


async def test_a_version_gap_is_named(log: Log):
    await with_three_sales(log)
    log.tamper(f"update event set version = 3 where position = {log.first + 1}")
    assert ("version_gap", 2) in log.codes()


async def test_a_fact_without_a_cause_is_named(log: Log):
    await with_three_sales(log)
    nobody = UUID(int=0)
    log.tamper(f"update event set causation = '{nobody}' where position = {log.first + 3}")
    assert ("no_cause", 4) in log.codes()


async def test_the_invariants_of_money_and_stock(log: Log):
    await log.append(
        StockReceived("mug", 100),
        *a_sale("a"),
        PaymentCaptured("a", "a.2", Money(1, GBP), "ref"),
        PaymentRefunded("a", "r", Money(1002, GBP), "ref"),
        StockReserved("b", (SkuQuantity("mug", 99),)),
        ReservationCommitted("c", (SkuQuantity("mug", 1),), "c.1"),
    )
    assert {
        ("captured_too_much", 7),
        ("refunded_too_much", 8),
        ("stock_unsound", 9),
        ("not_reserved", 10),
    } <= log.codes()


async def test_a_stock_row_that_differs_from_the_log_is_named(log: Log):
    await with_three_sales(log)
    log.tamper("update stock_level set on_hand = on_hand + 1")
    assert [(one.code, one.subject) for one in log.verify().findings] == [
        ("stock_differs", "stock-mug")
    ]


async def test_the_provider_and_the_log_must_agree(log: Log):
    await log.append(StockReceived("mug", 100), *a_sale("a"), *a_sale("b"))
    agreed = {"a": Paid(1000, 1000, 0), "b": Paid(1000, 1000, 0)}
    assert log.verify(ledger=agreed).ok
    report = log.verify(ledger=agreed | {"b": Paid(1000, 2000, 0), "z": Paid(1, 0, 0)})
    assert [one.subject for one in report.findings] == ["payment-b", "payment-z"]
    assert log.verify(ledger=agreed | {"b": None, "z": None}).ok
    assert log.verify(
        ledger={}, settle_seconds=(datetime.now(UTC) - AT) / timedelta(seconds=1) + 60
    ).ok
