"""Whoever changes the log behind our back is found out, and the place is named."""

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.inventory.messages import StockReceived
from domain.message import Money
from domain.order.messages import OrderPlaced
from store.log import APPEND, columns
from store.verify import verify
from tests.integration.verify.world import GBP, Log, a_sale, chained, with_three_sales


async def test_a_fact_before_the_first_is_found(log: Log):
    """Neither relay nor views nor seals read it; the owner of its stream would."""
    await with_three_sales(log)
    log.tamper(
        "insert into event overriding system value select (json_populate_record(e,"
        " json_build_object('position', -5, 'stream', 'order-z', 'id', gen_random_uuid()))).*"
        " from event e order by position limit 1"
    )
    found = [(one.code, one.position) for one in log.verify().findings]
    assert ("position_before_the_first", -5) in found


async def test_an_untouched_log_is_sound(log: Log):
    await with_three_sales(log)
    report = log.verify()
    assert report.ok, report.findings
    assert (report.events, report.seals, report.first_bad_position) == (16, 2, None)
    assert report.sealed_to == log.first + 15


async def test_an_update_is_named(log: Log):
    await with_three_sales(log)
    log.tamper(
        "update event set data = replace(data::text, '1000', '9000')::json"
        f" where position = {log.first + 5}"
    )
    assert ("hash_differs", 6) in log.codes()
    assert log.verify().first_bad_position == log.first + 5


async def test_an_update_with_a_recomputed_chain_is_named_by_its_seal(log: Log):
    await with_three_sales(log)
    [fact] = chained([StockReceived("mug", 999)], {})
    with psycopg.connect(log.admin) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(
            "update event set (data, hash, id, causation) = (%s::json, %s, %s, %s)"
            " where stream = 'stock-mug'",
            (fact.data, fact.hash, fact.id, fact.causation),
        )
    assert ("rewritten", 1) in log.codes()
    assert not any(code == "hash_differs" for code, _ in log.codes())


@pytest.mark.parametrize("place", [1, 3, 11, 16])
async def test_a_deleted_fact_is_named(log: Log, place: int):
    await with_three_sales(log)
    log.tamper(f"delete from event where position = {log.first + place - 1}")
    assert ("deleted", place) in log.codes()


async def test_a_truncated_tail_after_a_seal_is_named(log: Log):
    await with_three_sales(log)
    log.tamper(f"delete from event where position >= {log.first + 14}")
    assert {("deleted", 15), ("deleted", 16)} <= log.codes()


async def test_a_whole_run_that_is_gone_is_named(log: Log):
    await with_three_sales(log)
    first = log.first
    log.tamper(f"delete from event where position >= {first + 6}")
    report = log.verify()
    assert {one.code for one in report.findings if one.position} == {"deleted"}
    assert report.first_bad_position == first + 6


async def test_a_fact_inserted_into_a_gap_is_named(log: Log):
    await log.append(StockReceived("mug", 100), *a_sale("a"))
    with psycopg.connect(log.app) as conn:  # a transaction that fails leaves a gap
        facts = chained(a_sale("x"), {})
        conn.execute(APPEND, columns(facts))
        conn.rollback()
    await log.append(*a_sale("b"))
    assert log.verify().ok
    [forged] = chained([OrderPlaced("forged", (), Money(0, GBP))], {})
    with psycopg.connect(log.admin) as conn:
        conn.execute(
            "insert into event (position, stream, version, type, id, occurred_at, recorded_at,"
            " correlation, causation, source, imported, data, hash) overriding system value"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (log.first + 7, *forged),
        )
    assert log.codes() == {("inserted", 8)}


async def test_a_swap_of_two_facts_is_named(log: Log):
    await with_three_sales(log)
    one, other = log.first + 6, log.first + 11
    log.tamper(
        "alter table event alter position drop identity",
        f"update event set position = -1 where position = {one}",
        f"update event set position = {one} where position = {other}",
        f"update event set position = {other} where position = -1",
        "alter table event alter position add generated always as identity",
        f"select setval(pg_get_serial_sequence('event', 'position'), {log.first + 100})",
    )
    assert {("rewritten", 7), ("rewritten", 12)} <= log.codes()


async def test_a_seal_that_was_taken_away_or_signed_by_another_is_named(log: Log):
    await with_three_sales(log)
    assert {one.code for one in verify(log.app, None).findings} == {"seal_unsigned"}
    stranger = Ed25519PrivateKey.generate().public_key()
    assert {one.code for one in verify(log.app, stranger).findings} == {"seal_unsigned"}
    log.tamper("delete from seal where number = 1")
    assert "seal_missing" in {one.code for one in log.verify().findings}


async def test_changed_leaves_of_a_seal_break_its_signature(log: Log):
    await with_three_sales(log)
    log.tamper(
        "update seal set leaves = overlay(leaves placing '\\x00000000' from 1) where number = 2"
    )
    assert "seal_unsigned" in {one.code for one in log.verify().findings}
