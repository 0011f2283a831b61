"""A full disk is waited out and said; a topic that is missing ends who needs it, with its name."""

import httpx
import psycopg

from domain.catalog import TOPICS
from stack.ports import free_ports
from tests.faults.world import World, orders
from tests.integration.fresh import delete
from tests.integration.relay_world import until

NEEDS_A_PERSON = 78
FULL = """
    create function full_disk() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device'
        using errcode = 'disk_full'; end $$;
    create trigger full_disk before insert on event for each statement execute function full_disk();
    create trigger full_disk before insert on idempotency
        for each statement execute function full_disk();
"""
FREED = "drop function full_disk() cascade"
GOODS = {"quantity": 4, "uncatalogued": True}


async def test_a_full_disk_is_said_and_waited_out(world: World):
    [port] = free_ports(1)
    api = await world.start("api", api_port=port)
    worker = await world.start("worker", "order")
    await worker.ready()
    await api.ready()
    async with await psycopg.AsyncConnection.connect(world.admin_dsn, autocommit=True) as admin:
        await admin.execute(FULL)
        await world.send(orders(1))

        async def says_so() -> bool:
            return worker.log.count("the disk of Postgres is full") > 1

        await until(says_so, 20)
        assert not await facts(admin)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.post("/stock/mug/receipts", json=GOODS)
        assert (answer.status_code, answer.json()["code"]) == (503, "disk_full"), answer.text
        await admin.execute(FREED)

        async def goes_on() -> bool:
            return await facts(admin) > 0

        await until(goes_on, 20)


async def facts(conn: psycopg.AsyncConnection) -> int:
    [count] = await (await conn.execute("select count(*) from event")).fetchone() or [0]
    return count


async def test_a_topic_that_is_missing_ends_who_needs_it(world: World):
    await delete(world.kafka, [TOPICS["order"]])
    [port] = free_ports(1)
    for words in (["worker", "order"], ["api"], ["relay"]):
        process = await world.start(*words, api_port=port)
        assert await process.ended(20) == NEEDS_A_PERSON
        assert f"there is no topic {TOPICS['order']}: make ours with" in process.log
        assert "`quire topics create`" in process.log
