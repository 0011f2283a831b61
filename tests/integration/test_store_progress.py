"""How far readers are behind the log, as Postgres sees it."""

import psycopg

from store import progress


async def test_a_reader_at_the_start_is_behind_by_every_fact(postgres_dsn: str):
    async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as conn:
        assert await progress.behind(conn, ["relay"]) == {}
        assert await progress.has_stock(conn) is False
        await conn.execute("insert into checkpoint (name, position) values ('relay', 0)")
        assert await progress.behind(conn, ["relay"]) == {"relay": progress.Behind(0, 0.0)}
        await conn.execute("insert into stock_level (sku, on_hand, reserved) values ('mug', 1, 0)")
        assert await progress.has_stock(conn) is True
