"""What every connection of ours asks of Postgres, whatever the server and the DSN say."""

from datetime import UTC

import pytest
from psycopg.conninfo import make_conninfo

from store.connect import AsyncConnection, connect, pool


async def told(conn: AsyncConnection, setting: str) -> str:
    cursor = await conn.execute("select current_setting(%s)", (setting,))
    [[value]] = await cursor.fetchall()
    return value


@pytest.fixture
def dsn(postgres_dsn: str) -> str:
    """Of somebody who lives in Tokyo, and has no time."""
    return make_conninfo(postgres_dsn, options="-c timezone=Asia/Tokyo -c statement_timeout=12s")


@pytest.mark.parametrize("index_only", [False, True])
async def test_times_are_read_in_utc_and_the_options_of_the_dsn_hold(dsn: str, index_only: bool):
    async with await connect(dsn, name="test", index_only=index_only) as conn:
        cursor = await conn.execute("select now()", binary=True)
        [[now]] = await cursor.fetchall()
        assert now.tzinfo is UTC
        assert await told(conn, "statement_timeout") == "12s"
        assert await told(conn, "enable_seqscan") == ("off" if index_only else "on")


async def test_an_owner_gives_back_what_it_holds_when_it_freezes(dsn: str):
    async with await connect(dsn, name="test", index_only=True) as conn:
        assert await told(conn, "idle_in_transaction_session_timeout") == "1min"


async def test_who_asks_over_http_does_not_wait_for_a_lock_for_ever(dsn: str):
    async with pool(dsn, name="test", size=1) as room, room.connection() as conn:
        assert await told(conn, "lock_timeout") == "10s"


async def test_options_of_the_environment_hold_where_the_dsn_has_none(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=13s")
    async with await connect(postgres_dsn, name="test") as conn:
        assert await told(conn, "statement_timeout") == "13s"
        assert await told(conn, "timezone") == "UTC"


async def test_so_does_a_pool(dsn: str):
    async with pool(dsn, name="test", size=1) as room, room.connection() as conn:
        assert await told(conn, "timezone") == "UTC"
        assert await told(conn, "statement_timeout") == "12s"
        assert await told(conn, "application_name") == "test"
