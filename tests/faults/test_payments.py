"""The provider's ledger is what the log says, whatever dies in between (PROTOCOL 4)."""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bus.message import Message
from domain.inventory.messages import ReceiveStock
from domain.message import Money
from domain.order.messages import CancelOrder
from domain.payment.messages import AuthorizePayment, CapturePayment, RefundPayment
from gateways.ledger import read_ledger
from store import log
from store.connect import connect
from streams.agents import declare
from streams.engine import Engine
from streams.settings import Settings
from tests.faults.forked import KILLED, forked
from tests.faults.world import World, message, orders
from tests.integration.hand import Record, Topic
from tests.integration.relay_world import until

A_BATCH = 15
WORKERS = 10
ROUNDS, KILLS_A_ROUND, NEW_ORDERS = 10, 10, 5


def _round(number: int) -> list[Message]:
    """Five orders' money held, and that of the rounds before taken and in part given back."""
    sent: list[Message] = []
    for n in range(NEW_ORDERS):
        hold = AuthorizePayment(f"o-{number}-{n}", 1, Money(700 + n, "GBP"), "tok_approve")
        take = CapturePayment(f"o-{number - 1}-{n}", f"o-{number - 1}-{n}.1", Money(700 + n, "GBP"))
        back = RefundPayment(f"o-{number - 2}-{n}", "r1", Money(100, "GBP"))
        wishes = [hold, *([take] if number >= 1 else []), *([back] if number >= 2 else [])]
        sent += [message(wish, f"{wish.key}/{wish.kind}") for wish in wishes]
    return sent


def handle(settings: Settings, batch: Sequence[Record], answers: int | None) -> None:
    """Own a partition and handle a batch; die by kill -9 when so many answers were given."""

    async def main() -> None:
        context = declare("payment", settings)
        assert context.outside is not None
        perform, given = context.outside.perform, 0

        async def dying(request: Any) -> Any:
            nonlocal given
            answer = await perform(request)
            given += 1
            if given == answers:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        outside = replace(context.outside, perform=dying)
        owner = Engine(replace(context, outside=outside), settings)
        await owner.own({0: None})
        await owner.handle(batch)
        await owner.close()

    asyncio.run(main())


async def test_a_hundred_kills_between_the_answer_and_the_commit(world: World):
    """10: kill -9 of the owner a hundred times, after one answer and up to all of a batch."""
    topic, settings, everything = Topic(), world.settings(), list[Message]()
    kills = 0
    for number in range(ROUNDS):
        sent = _round(number)
        batch = [topic.send(one) for one in sent]
        for kill in range(KILLS_A_ROUND):
            after = 1 + kill * (len(batch) - 1) // (KILLS_A_ROUND - 1)
            assert await forked(handle, settings, batch, after) == KILLED
            kills += 1
        assert await world.outcomes(sent) == {}
        assert await forked(handle, settings, batch, None) == 0
        everything += sent
    assert kills == 100
    await _the_ledger_is_the_log(world, everything)


async def test_cancelled_while_the_provider_is_asked(world: World):
    """11: the answer is late, the order waits for it in `cancelling`; what was held is let go."""
    settings = {"provider_delay_seconds": 3}
    sent = [message(ReceiveStock("mug", 20), "mug/in"), *orders(20)]
    await world.run("worker payment", "worker order", "worker inventory", "relay", **settings)
    await world.send(sent)
    await world.reached("quire.order.payment_requested.v1", 20)
    cancels = [message(CancelOrder(one.key), f"{one.key}/cancel") for one in sent[1:]]
    await world.send(cancels)
    await world.settled(cancels)
    assert await world.count(HELD, "quire.payment.authorized.v1") < 20, "the answers were early"
    await world.reached("quire.order.cancelled.v1", 20)
    await world.reached("quire.payment.voided.v1", 20)

    for one in sent[1:]:
        steps = [fact.type.split(".")[2] for fact in await log.read_order(world.conn, one.key)]
        asked, answered = steps.index("cancellation_requested"), steps.index("authorized")
        assert steps.index("cancelled") > max(asked, answered)
    book = list(read_ledger(world.path / "provider" / "ledger.jsonl"))
    assert sorted(entry.step for entry in book) == ["authorize"] * 20 + ["void"] * 20
    await until(lambda: _all_released(world))
    world.check(ledger=True)


HELD = "select count(*) from event where type = %s"


async def _all_released(world: World) -> bool:
    return not await world.count("select sum(reserved) from stock_level")


async def _the_ledger_is_the_log(world: World, sent: list[Message]) -> None:
    entries = list(read_ledger(world.path / "provider" / "ledger.jsonl"))
    assert sorted(entry.order_id for entry in entries) == sorted(one.key for one in sent)
    assert len({entry.key for entry in entries}) == len(sent)
    await world.each_once(sent)
    world.check(ledger=True)


async def test_a_worker_is_killed_between_the_answer_and_the_commit(world: World):
    """10: the whole process, with fifteen answers given and a commit under way. The next one comes
    under the same name, as in the stack, and has its partitions at once."""
    sent = [
        message(
            AuthorizePayment(f"o-{n}", 1, Money(700 + n, "GBP"), "tok_approve"), f"o-{n}/authorize"
        )
        for n in range(WORKERS * A_BATCH)
    ]
    async with await connect(world.admin_dsn, name="admin") as admin:
        for begin in range(0, len(sent), A_BATCH):
            [worker] = await world.run("worker payment", instance="payment")
            async with admin.transaction():
                # The commit has to wait here, and dies with the worker's connection or lands late.
                await admin.execute("lock table event in exclusive mode")
                await world.send(sent[begin : begin + A_BATCH])
                await until(lambda begin=begin: _asked(world, begin + A_BATCH))
                await until(lambda: world.waits_for_lock("quire-payment"))
                await worker.kill()
    await world.run("worker payment", instance="payment")
    await world.settled(sent)
    await _the_ledger_is_the_log(world, sent)


async def _asked(world: World, count: int) -> bool:
    return len(list(read_ledger(world.path / "provider" / "ledger.jsonl"))) >= count
