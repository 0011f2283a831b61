"""Whoever changes the log behind our back is found out, and the place is named."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import derive
from domain.inventory.messages import ReservationCommitted, StockReceived, StockReserved
from domain.message import Event, Line, Money, SkuQuantity
from domain.order.messages import OrderPlaced
from domain.payment.messages import PaymentAuthorized, PaymentCaptured, PaymentRefunded
from store import rawlog, seals
from store import verify as verifying
from store.chain import link
from store.codec import encode
from store.connect import connect
from store.invariants import Paid
from store.log import APPEND, NewEvent, columns
from store.processes import ProcessLost
from store.sealkey import signing_key, verifying_key
from store.verify import Report, verify

KEY = Ed25519PrivateKey.generate()
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GBP = "GBP"


def chained(events: list[Event], heads: dict[str, tuple[int, bytes]]) -> list[NewEvent]:
    """Number and chain `events`, each behind the last of its stream."""
    facts: list[NewEvent] = []
    for event in events:
        version, head = heads.get(event.stream, (0, b""))
        data = encode(event)
        cause = uuid4()
        fields = (
            event.stream, version + 1, event.type, derive(0, f"{cause}"), AT, AT, "c", cause,
            "quire/test", False,
        )  # fmt: skip
        hashed = link(head, *fields, data)
        heads[event.stream] = (version + 1, hashed)
        facts.append(NewEvent(*fields, data.decode(), hashed))
    return facts


def a_sale(order_id: str) -> list[Event]:
    two = (SkuQuantity("mug", 2),)
    lines = (Line(1, "mug", 2, Money(500, GBP)),)
    return [
        OrderPlaced(order_id, lines, Money(1000, GBP)),
        StockReserved(order_id, two),
        PaymentAuthorized(order_id, 1, Money(1000, GBP), "ref"),
        ReservationCommitted(order_id, two, f"{order_id}.1"),
        PaymentCaptured(order_id, f"{order_id}.1", Money(1000, GBP), "ref"),
    ]


class Log:
    """The log of one test: what is appended here is sealed at once."""

    def __init__(self, app: str, admin: str) -> None:
        self.app = app
        self.admin = admin
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.tamper("truncate event", "truncate seal", "truncate stock_level")

    async def append(self, *events: Event, seal: bool = True) -> None:
        async with await connect(self.app, name="test") as conn:
            await conn.execute(APPEND, columns(chained(list(events), self.heads)))
            await conn.execute(
                "insert into stock_level (sku, on_hand, version, head)"
                " select 'mug', 100 - 2 * (select count(*) from event where type ="
                " 'quire.inventory.committed.v1'), version, hash from event"
                " where stream = 'stock-mug' on conflict (sku) do update"
                " set on_hand = excluded.on_hand"
            )
            while seal and await seals.seal_next(conn, KEY, datetime.now(UTC)):
                pass

    def tamper(self, *statements: str) -> None:
        """Do what only a superuser can: with the triggers off."""
        with psycopg.connect(self.admin) as conn:
            conn.execute("set session_replication_role = replica")
            for statement in statements:
                conn.execute(statement.encode())

    def verify(
        self,
        ledger: dict[str, Paid] | None = None,
        settle_seconds: float = 60,
        processes: int | None = None,
    ) -> Report:
        key = KEY.public_key()
        return verify(
            self.app, key, ledger=ledger, settle_seconds=settle_seconds, processes=processes
        )

    def codes(self) -> set[tuple[str, int]]:
        return {(one.code, one.position - self.first + 1) for one in self.verify().findings}

    @property
    def first(self) -> int:
        """The position of the test's first fact; positions go on after a truncate."""
        with psycopg.connect(self.app) as conn:
            row = conn.execute("select min(first_position) from seal").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def log(postgres_dsn: str, admin_dsn: str) -> Log:
    return Log(postgres_dsn, admin_dsn)


async def with_three_sales(log: Log) -> None:
    """Sixteen facts in two seals: 1 receipt, then 5 facts a sale."""
    await log.append(StockReceived("mug", 100), *a_sale("a"))
    await log.append(*a_sale("b"), *a_sale("c"))


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
    assert log.verify(
        ledger={}, settle_seconds=(datetime.now(UTC) - AT) / timedelta(seconds=1) + 60
    ).ok


@pytest.mark.parametrize("step", [1, 2, 5, 7])
async def test_ranges_are_joined_where_they_meet(
    log: Log, monkeypatch: pytest.MonkeyPatch, step: int
):
    monkeypatch.setattr(rawlog, "STEP", step)
    await with_three_sales(log)
    await log.append(*a_sale("d"), seal=False)
    report = log.verify()
    assert report.ok, report.findings
    assert (report.events, report.seals) == (21, 2)
    log.tamper(
        "update event set data = replace(data::text, 'ref', 'ref2')::json"
        f" where position in ({log.first + 3}, {log.first + 18})",
        f"delete from event where position = {log.first + 11}",
    )
    assert log.codes() == {("hash_differs", 4), ("deleted", 12), ("hash_differs", 19)}


async def test_other_processes_find_the_same(log: Log):
    await with_three_sales(log)
    assert log.verify(processes=3).ok
    log.tamper(f"update event set causation = id where position = {log.first + 7}")
    assert log.verify(processes=3).findings == log.verify().findings
    assert log.verify(processes=3).first_bad_position == log.first + 7


def killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_process_that_is_lost_is_no_sound_log(log: Log, monkeypatch: pytest.MonkeyPatch):
    await with_three_sales(log)
    monkeypatch.setattr(verifying, "keep_books", killed)
    with pytest.raises(ProcessLost):
        log.verify(processes=3)


async def test_a_run_ends_at_its_most_facts(log: Log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seals, "RUN", 4)
    await with_three_sales(log)
    assert log.verify().ok
    assert log.verify().seals == 5  # 4 + 2, 4 + 4 + 2


async def test_only_one_seals(log: Log):
    async with (
        await connect(log.app, name="one") as one,
        await connect(log.app, name="other") as other,
    ):
        assert await seals.take_turn(one)
        assert not await seals.take_turn(other)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    key = signing_key(tmp_path)
    assert signing_key(tmp_path).private_bytes_raw() == key.private_bytes_raw()
    assert (tmp_path / "seal.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "seal.key").unlink()
    assert verifying_key(tmp_path).public_bytes_raw() == key.public_key().public_bytes_raw()
