"""A worker killed between the mail and the commit: sent again under the same name, seen once."""

from collections.abc import AsyncIterator

import msgspec
import psycopg
import pytest

from domain.notification.messages import Notify
from store.vault import Vault, read_master_key
from streams.agents.notification import MOST_THAT_LEAVE
from tests.faults.world import World, message
from tests.integration.mail_sink import Sink, sink
from tests.integration.relay_world import until


@pytest.fixture
async def mails(world: World) -> AsyncIterator[Sink]:
    async with sink(world.path) as made:
        await made.start()
        yield made


async def test_killed_between_the_mail_and_the_commit(world: World, mails: Sink):
    vault = Vault(read_master_key(world.path / "master.key"))
    contact = msgspec.json.encode({"name": "Ada", "email": "ada@orchard.example"})
    sealed = await vault.seal(world.conn, "customer:c-1", contact)
    wish = Notify("o-1.order_shipped.email.p", "o-1", "order_shipped", "email", "c-1", sealed, "en")
    asked = [message(wish, "o-1/shipped")]
    async with await psycopg.AsyncConnection.connect(world.admin_dsn, autocommit=True) as admin:
        async with admin.transaction():
            await admin.execute("lock table outcome in exclusive mode")
            [worker] = await world.run("worker notification", **mails.settings)
            await world.send(asked)

            async def sent_and_not_committed() -> bool:
                before_the_lock = await world.waits_for_lock("quire-notification")
                return before_the_lock and len(mails.box.mails()) == 1

            await until(sent_and_not_committed, 60)
            await worker.kill()
            # What it had on its way to Postgres must not land after all.
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'quire-notification' and datname = current_database()"
            )
        await world.run("worker notification", **mails.settings)
        assert set((await world.settled(asked)).values()) == {"applied"}
    [mail] = mails.box.mails()
    assert mail.times == 2
    assert [fact.type for fact in await world.facts()] == ["quire.notification.sent.v1"]
    world.check()


async def test_few_mails_leave_between_two_commits(world: World, mails: Sink):
    """Whatever left since the last commit leaves again after kill -9."""
    asked = [
        message(
            Notify(f"o-{n}.order_shipped.email.p", f"o-{n}", "order_shipped", "email", "c-1"),
            f"{n}",
        )
        for n in range(200)
    ]
    await world.send(asked)
    await world.run("worker notification", **mails.settings)
    await world.settled(asked)
    batches = await world.count(
        "select max(version) from fence where processor = %s", "quire-notification"
    )
    assert batches >= len(asked) / MOST_THAT_LEAVE
