"""The table of wishes from outside, on a real Postgres."""

from datetime import UTC, datetime
from uuid import uuid4

from store import idempotency
from store.connect import connect

HOT = "select pg_stat_get_xact_tuples_hot_updated('idempotency'::regclass)"


async def test_marking_a_wish_touches_no_index(postgres_dsn: str):
    wish = idempotency.Wish(
        "test", str(uuid4()), uuid4(), "order-1", b"", "open", "topic", [], "1", b"{}", None,
        datetime.now(UTC),
    )  # fmt: skip
    async with await connect(postgres_dsn, name="test") as conn, conn.transaction():
        await idempotency.add(conn, wish)
        await idempotency.write(conn, [], [(wish.caller, wish.key)])
        found = await idempotency.find(conn, wish.caller, wish.key)
        assert found is not None
        assert found.state == "answered"
        assert await (await conn.execute(HOT)).fetchone() == (1,)
