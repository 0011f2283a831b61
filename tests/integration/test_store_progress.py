"""How far readers are behind the log, as Postgres sees it."""

from datetime import UTC, datetime, timedelta

import psycopg

from store import progress
from tests.integration import facts


async def test_a_reader_at_the_start_is_behind_by_every_fact(postgres_dsn: str):
    async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as conn:
        assert await progress.behind(conn, ["relay"]) == {}
        assert await progress.has_stock(conn) is False
        await conn.execute("insert into checkpoint (name, position) values ('relay', 0)")
        assert await progress.behind(conn, ["relay"]) == {"relay": progress.Behind(0, 0.0)}
        await conn.execute("insert into stock_level (sku, on_hand, reserved) values ('mug', 1, 0)")
        assert await progress.has_stock(conn) is True


async def test_the_distance_is_that_to_the_end_and_the_age_that_of_the_first(postgres_dsn: str):
    async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as conn:
        ago = datetime.now(UTC) - timedelta(hours=2)
        end = await facts.record(conn, facts.life("o-1"), ago)  # a minute apart
        await conn.execute(
            "insert into checkpoint (name, position) values ('first', 0), ('last', %s)",
            (end - 1,),
        )
        found = await progress.unread(conn, ["first", "last", "nobody"])
    assert found["nobody"] == found["seal"] == found["first"], "who never began is not done"
    assert found["first"].positions == end
    assert 7200 <= found["first"].seconds < 7300
    assert found["last"].positions == 1
    assert found["last"].seconds < 7200
