"""The views are the fold of the log, live, rebuilt and compared."""

from datetime import date

import msgspec
import pytest

from domain.inventory.messages import StockReceived
from store.connect import AsyncConnection, connect
from store.views import batch, orders, progress, revenue, served, stock
from store.views.compare import Difference, compare
from store.views.every import VIEWS
from store.views.shadow import rebuild
from streams.projector import Projector
from tests.integration.facts import life, record


async def catch_up(projector: Projector) -> None:
    while await projector.step():
        pass


async def differences(conn: AsyncConnection) -> list[Difference]:
    found: list[Difference] = []
    await compare(conn, found.append)
    return found


async def test_a_whole_life_shows_in_every_view(conn: AsyncConnection) -> None:
    await record(conn, [StockReceived("mug", 10), *life("o-1")])
    await catch_up(Projector(conn))

    document = msgspec.json.decode((await served.read(conn, ["o-1"]))["o-1"])
    assert document["status"] == "completed"
    assert document["fulfilment"] == "partially_returned"
    assert document["payment"] == "partially_refunded"
    assert document["lines"][0]["returned"] == 1
    assert document["totals"] == {
        "currency": "EUR", "ordered": 1790, "charges": 290, "cancelled": 0, "returned": 500,
        "authorized": 1790, "captured": 1790, "refunded": 500,
        "written_off": 0,
    }  # fmt: skip
    assert [scan["place"] for scan in document["parcels"][0]["scans"]] == ["Leeds", "York", "Hull"]
    assert "sealed" not in str(document)

    level = await stock.read(conn, "mug")
    assert level is not None
    assert (level.on_hand, level.reserved, level.available) == (8, 0, 8)

    days = msgspec.json.decode(await revenue.read(conn, date(2026, 3, 1), date(2026, 3, 1)))
    assert [days[0][name] for name in ("orders", "units", "gross", "charges", "returned")] == [
        1, 3, 1500, 290, 500,
    ]  # fmt: skip
    assert await differences(conn) == []


async def test_folding_fact_by_fact_comes_to_the_same_as_in_one_batch(
    conn: AsyncConnection,
) -> None:
    for event in life("o-2"):
        await record(conn, [event])
        await catch_up(Projector(conn))  # a new one each time: it remembers nothing
    assert await differences(conn) == []


async def test_two_projectors_add_nothing_twice(conn: AsyncConnection, postgres_dsn: str) -> None:
    async with await connect(postgres_dsn, name="test second") as other:
        first, second = Projector(conn), Projector(other)
        for n in range(5):
            await record(conn, [StockReceived("cup", 7), *life(f"two-{n}", sku="cup")])
            await first.step()
            await second.step()
            await record(conn, [StockReceived("cup", 7)])
            await second.step()
            await first.step()
        await catch_up(first)
        await catch_up(second)
    assert await differences(conn) == []


async def test_a_batch_that_fails_leaves_nothing_behind(conn: AsyncConnection) -> None:
    await record(conn, life("half", sku="pot"))
    at = await progress.start(conn, batch.VIEWS)
    stale = at._replace(position=at.position - 1)
    with pytest.raises(progress.Moved):
        await batch.project(conn, [], stale, batch.Documents(10))
    assert await served.read(conn, ["half"]) == {}
    await catch_up(Projector(conn))
    assert await served.read(conn, ["half"])


async def test_compare_names_what_was_changed_behind_our_back(conn: AsyncConnection) -> None:
    await record(conn, [StockReceived("jug", 4), *life("o-3", sku="jug")])
    await catch_up(Projector(conn))
    await conn.execute("update stock_view set on_hand = on_hand + 1 where sku = 'jug'")
    await conn.execute("delete from order_view where order_id = 'o-3'")
    await conn.execute("insert into revenue_daily values ('1999-01-01', 'EUR',1,0,0,0,0,0,0,0,0,0)")
    found = {(each.view, each.key) for each in await differences(conn)}
    assert found == {
        (stock.NAME, "jug"), (orders.NAME, "o-3"), (revenue.NAME, "1999-01-01 EUR"),
    }  # fmt: skip
    await conn.execute("update stock_view set on_hand = on_hand - 1 where sku = 'jug'")
    await conn.execute("delete from revenue_daily where day = '1999-01-01'")


@pytest.mark.parametrize("name", sorted(VIEWS))
async def test_a_rebuild_heals_and_a_running_projector_goes_on(
    name: str, conn: AsyncConnection, owner: AsyncConnection
) -> None:
    projector = Projector(conn)
    await record(conn, [StockReceived("urn", 9), *life(f"before-{name}", sku="urn")[:6]])
    await catch_up(projector)
    before = await _shape(owner, VIEWS[name].table)
    await conn.execute(f"delete from {VIEWS[name].table}".encode())

    await rebuild(owner, VIEWS[name])
    await record(conn, life(f"before-{name}", sku="urn")[6:])
    await catch_up(projector)

    assert await _shape(owner, VIEWS[name].table) == before
    left = [each for each in await differences(conn) if each.view == VIEWS[name].name]
    assert left == []


async def _shape(conn: AsyncConnection, table: str) -> list[object]:
    """Indexes, constraints, options and rights of a table."""
    cursor = await conn.execute(
        "select indexdef from pg_indexes where tablename = %(t)s"
        " union all select conname || pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = %(t)s::regclass"
        " union all select reloptions::text from pg_class where oid = %(t)s::regclass"
        " union all select grantee || privilege_type from information_schema.role_table_grants"
        " where table_name = %(t)s order by 1",
        {"t": table},
    )
    return [row[0] for row in await cursor.fetchall()]


async def test_compare_overlooks_only_a_field_that_the_text_is_too_old_for(
    conn: AsyncConnection,
) -> None:
    await record(conn, life("old", sku="old"))
    await catch_up(Projector(conn))
    before = {(each.view, each.key) for each in await differences(conn)}
    older = "replace(document, ',\"cancelling\":{}', '')"
    await conn.execute(f"update order_view set document = {older} where order_id = 'old'".encode())
    assert {(each.view, each.key) for each in await differences(conn)} == before
    other = 'replace(document, \'"payment":"partially_refunded"\', \'"payment":"captured"\')'
    await conn.execute(f"update order_view set document = {other} where order_id = 'old'".encode())
    found = [each for each in await differences(conn) if each.key == "old"]
    assert [each.shown for each in found] == [{"document.payment": "captured"}]
