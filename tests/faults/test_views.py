"""Two projectors, of which one is killed (PROTOCOL 13)."""

from store.connect import connect
from store.views.compare import Difference, compare
from tests.faults.world import World
from tests.integration.facts import life, record
from tests.integration.relay_world import until


async def test_the_views_are_the_fold_whoever_projects(world: World):
    """24: the one that works is killed three times; the one that stands by goes on."""
    first, second = await world.run("projector", "projector")
    async with await connect(world.admin_dsn, name="admin") as admin:
        for number in range(3):
            for n in range(25):
                await record(world.conn, life(f"{number}-{n}"))
            await until(lambda number=number: _shown(world, 25 * number + 5))
            holder = await admin.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                " and objid = 7467 and granted and database ="
                " (select oid from pg_database where datname = current_database())"
            )
            assert holder.rowcount == 1
    await first.kill()
    for n in range(25):
        await record(world.conn, life(f"last-{n}"))
    await until(lambda: _shown(world, 100))
    found: list[Difference] = []
    await compare(world.conn, found.append)
    assert found == []
    assert await second.end() == 0


async def test_polling_alone_moves_views_and_relay(world: World):
    """24: nobody is notified of anything; views = fold, and all is relayed."""
    await world.run("projector", "relay")
    for n in range(5):
        await record(world.conn, life(f"quiet-{n}"), notify=False)
        await until(lambda n=n: _shown(world, n + 1))
    await world.relayed()
    found: list[Difference] = []
    await compare(world.conn, found.append)
    assert found == []


async def _shown(world: World, count: int) -> bool:
    return await world.count("select count(*) from order_view") >= count
