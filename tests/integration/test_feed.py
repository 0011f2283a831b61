"""Who reads most of the log is fed with the facts that a reader page by page would see."""

from datetime import timedelta

import pytest

from domain.message import Event
from domain.payment.messages import PaymentAuthorized
from store import codec, log
from store.connect import AsyncConnection
from store.feed import Facts, Stamp, feed, stored_as
from store.views import orders
from store.views.batch import Changes
from tests.integration.facts import START, life, record


async def facts_of(
    conn: AsyncConnection, after: int, *types: str
) -> tuple[int, list[tuple[Stamp, Event]]]:
    found: list[tuple[Stamp, Event]] = []
    count = await feed(conn, found.extend, after, await log.head(conn), types or None)
    return count, found


async def test_a_feed_is_what_pages_are(conn: AsyncConnection):
    before = await log.head(conn)
    await record(conn, life("fed"), START + timedelta(microseconds=1))
    pages = await log.tail(conn, before, 1_000)
    count, fed = await facts_of(conn, before)
    assert count == len(fed) == len(life("fed"))
    assert [event for _, event in fed] == [one.event for one in pages] == life("fed")
    assert [(one.position, one.occurred_at, one.recorded_at, one.imported) for one, _ in fed] == [
        (one.position, one.occurred_at, one.recorded_at, one.imported) for one in pages
    ]
    assert await facts_of(conn, pages[-1].position) == (0, [])


async def test_only_some_types_and_what_is_read_as_them(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
):
    before = await log.head(conn)
    await record(conn, life("some"))
    _, [(_, event)] = await facts_of(conn, before, PaymentAuthorized.type)
    assert isinstance(event, PaymentAuthorized)
    monkeypatch.setitem(codec.UPCASTERS, "quire.payment.old.v0", (PaymentAuthorized.type, dict))
    monkeypatch.setitem(codec.UPCASTERS, "quire.payment.older.v0", ("quire.payment.old.v0", dict))
    assert stored_as([PaymentAuthorized.type]) == [
        PaymentAuthorized.type, "quire.payment.old.v0", "quire.payment.older.v0"
    ]  # fmt: skip


async def test_a_reader_that_fails_leaves_the_connection_of_use(conn: AsyncConnection):
    def stop(facts: Facts) -> None:
        for _, event in facts:
            raise codec.UnknownType(event.type)

    before = await log.head(conn)
    await record(conn, life("stopped"))
    with pytest.raises(codec.UnknownType):
        await feed(conn, stop, before, await log.head(conn))
    assert (await facts_of(conn, before))[0] == len(life("stopped"))


async def test_documents_folded_alone_are_those_of_a_whole_fold(conn: AsyncConnection):
    """Also when a later fact occurred earlier, as a file that is imported may have it."""
    before = await log.head(conn)
    facts = life("alone")
    await record(conn, facts[:6], START + timedelta(days=9))
    await record(conn, facts[6:], START)
    alone, whole = Changes(), Changes()
    head = await log.head(conn)
    await feed(conn, alone.fold_documents, before, head, orders.KINDS)
    await feed(conn, whole.fold, before, head)
    assert alone.documents == whole.documents
    assert alone.documents["alone"].updated_at == START + timedelta(days=9, minutes=5)
