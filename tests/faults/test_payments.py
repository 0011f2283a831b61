"""The provider's ledger is what the log says, whatever dies in between (PROTOCOL 4)."""

from domain.message import Money
from domain.payment.messages import AuthorizePayment
from gateways.ledger import read_ledger
from store.connect import connect
from tests.faults.world import World, message
from tests.integration.relay_world import until

A_BATCH = 15


async def test_killed_between_the_answer_and_the_commit(world: World):
    """10: kill -9 seven times with fifteen answers given and nothing committed."""
    book = world.path / "provider" / "ledger.jsonl"
    sent = [
        message(
            AuthorizePayment(f"o-{n}", 1, Money(700 + n, "GBP"), "tok_approve"), f"o-{n}/authorize"
        )
        for n in range(7 * A_BATCH)
    ]
    async with await connect(world.admin_dsn, name="admin") as admin:
        for begin in range(0, len(sent), A_BATCH):
            [worker] = await world.run("worker payment")
            async with admin.transaction():
                # The commit has to wait here, and dies with the worker's connection or lands late.
                await admin.execute("lock table event in exclusive mode")
                await world.send(sent[begin : begin + A_BATCH])
                await until(lambda begin=begin: _asked(world, begin + A_BATCH))
                await until(lambda: world.waits_for_lock("quire-payment"))
                await worker.kill()
    await world.run("worker payment")
    await world.settled(sent)

    entries = list(read_ledger(book))
    assert sorted(entry.order_id for entry in entries) == sorted(one.key for one in sent)
    assert len({entry.key for entry in entries}) == len(sent)
    await world.each_once(sent)
    world.check(ledger=True)


async def _asked(world: World, count: int) -> bool:
    return len(list(read_ledger(world.path / "provider" / "ledger.jsonl"))) >= count
