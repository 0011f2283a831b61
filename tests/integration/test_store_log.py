"""The log on a real Postgres: append-only, without gaps in commit order, found by an index."""

import asyncio
import random
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection, errors, sql

from domain.ids import derive
from domain.inventory.messages import StockReceived
from store import log, outcomes
from store.chain import link
from store.codec import encode
from store.connect import connect
from store.errors import Stale, translated
from store.log import NewEvent
from tests.integration.facts import START, record

CHANGES = [
    "update {} set {} = {}",
    "delete from {}",
    "truncate {}",
]
TABLES = {"event": "source", "seal": "root"}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.split()[0])
async def test_nobody_changes_what_was_written(
    conn: AsyncConnection, owner: AsyncConnection, table: str, change: str
):
    """The service has no right to, and the owner is stopped by the trigger."""
    names = [sql.Identifier(table), *[sql.Identifier(TABLES[table])] * 2]
    statement = sql.SQL(change).format(*names)  # pyright: ignore[reportArgumentType]
    await record(conn, [StockReceived("ink", 1)])
    before = await log.head(conn)
    with pytest.raises(errors.InsufficientPrivilege):
        await conn.execute(statement)
    with pytest.raises(psycopg.DatabaseError) as raised:
        await owner.execute(statement)
    assert raised.value.sqlstate == "QR001"
    assert (await log.tail(conn, before - 1, 1))[0].position == before


def fact(sku: str, version: int, previous: bytes = b"") -> NewEvent:
    event = StockReceived(sku, version)
    identity = (event.stream, version, event.type, uuid4(), START, START, sku, uuid4())
    data = encode(event)
    hashed = link(previous, *identity, "test", False, data)
    return NewEvent(*identity, "test", False, data.decode(), hashed)


async def append(conn: AsyncConnection, *facts: NewEvent) -> None:
    with translated():
        await conn.execute(log.APPEND, log.columns(facts))


@pytest.mark.parametrize("version", [1, 2, 4], ids=["again", "again", "a gap"])
async def test_a_stream_goes_on_with_its_next_version_only(conn: AsyncConnection, version: int):
    """13: version last + 2 raises, as the last one does when it comes again."""
    sku = f"pen-{uuid4().hex[:6]}"
    await append(conn, fact(sku, 1), fact(sku, 2))
    with pytest.raises(Stale) as raised:
        await append(conn, fact(sku, version))
    if version == 4:
        assert isinstance(raised.value.__cause__, psycopg.DatabaseError)
        assert raised.value.__cause__.sqlstate == "QR003"
    await append(conn, fact(sku, 3))


async def test_a_tailing_reader_skips_no_fact(conn: AsyncConnection, postgres_dsn: str):
    """13: four appenders with delays and rollbacks, an idle transaction, and one who reads."""
    chance = random.Random(3)
    start = await log.head(conn)
    writing = 4
    committed: set[UUID] = set()

    async def write(number: int) -> None:
        nonlocal writing
        async with await connect(postgres_dsn, name=f"appender {number}") as own:
            for n in range(60):
                facts = [fact(f"w{number}-{n}-{each}", 1) for each in range(chance.randint(1, 6))]
                await own.execute("begin")
                await asyncio.sleep(chance.random() / 200)  # a slow one, before it locks
                await append(own, *facts)
                await asyncio.sleep(chance.random() / 200 if n % 3 == 0 else 0)
                if chance.random() < 0.2:
                    await own.execute("rollback")
                else:
                    await own.execute("commit")
                    committed.update(each.id for each in facts)
        writing -= 1

    seen: list[UUID] = []
    positions: list[int] = []

    async def read() -> None:
        after = start
        while True:
            last_look = not writing
            for found in await log.tail(conn, after, 7):
                after = found.position
                seen.append(found.id)
                positions.append(after)
            if last_look and after >= await log.head(conn):
                return
            await asyncio.sleep(0)

    async with await connect(postgres_dsn, name="idle") as idle, idle.transaction():
        await idle.execute("insert into catalogue values ('idle', 'x', 1, 'GBP')")
        await asyncio.gather(read(), *(write(number) for number in range(4)))
        await idle.execute("delete from catalogue where sku = 'idle'")
    assert len(seen) == len(set(seen))
    assert set(seen) == committed
    assert positions == sorted(positions)


@pytest.mark.parametrize("known", ["nothing", "few rows"])
async def test_outcomes_are_found_by_index_whatever_postgres_knows_of_them(
    owner: AsyncConnection, postgres_dsn: str, known: str
):
    """7: the very look-up, prepared while the table was empty or small, with 100,000 rows in it."""
    await owner.execute("alter table outcome_default set (autovacuum_enabled = false)")
    await owner.execute("truncate outcome")
    if known == "few rows":
        await owner.execute(
            "insert into outcome (command_id, result)"
            " select gen_random_uuid(), 'noop' from generate_series(1, 20)"
        )
        await owner.execute("analyze outcome")
    ids = [derive(1_700_000_000_000 + n, f"look-up|{n}") for n in range(100_000)]
    async with await connect(postgres_dsn, name="look-up", index_only=True) as own:
        for begin in range(0, 60, 6):  # so often that Postgres settles for its general plan
            assert await outcomes.find(own, ids[begin : begin + 6]) == {}
        await own.execute(
            "insert into outcome (command_id, result) select id, 'noop' from unnest(%s::uuid[]) id",
            (ids,),
        )
        some = ids[::200]
        assert len(await outcomes.find(own, some)) == 500
        cursor = await own.execute(
            "select name from pg_prepared_statements where statement like '%from outcome%'"
            " and statement not like '%pg_prepared_statements%'"
        )
        [(name,)] = await cursor.fetchall()
        cursor = await own.execute(
            sql.SQL("explain execute {}({}, {}, {})").format(
                sql.Identifier(name), *map(sql.Literal, (some, min(some), max(some)))
            )
        )
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan
