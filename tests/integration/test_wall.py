"""The wall, told by the source from a real topic: each order once, in order; minutes as in SQL."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import uvicorn

from api.settings import WallSettings
from api.wall.app import create_wall
from api.wall.board import Board, Shown
from bus.message import Message
from bus.publisher import KafkaPublisher
from store import log
from store.connect import connect
from streams.reactions import fact_of
from streams.settings import SourceSettings
from streams.source import deliver
from tests.integration.facts import START, life, record

MakeTopic = Callable[[str, int], Awaitable[str]]
ORDERS = 60
RATE = 200

BY_MINUTE = """
select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as minute,
       count(*) as orders, sum((body->'total'->>'amount_minor')::bigint) as revenue
  from (select occurred_at, data::json as body from event where type = 'quire.order.placed.v1') as e
 group by 1
"""


@asynccontextmanager
async def wall() -> AsyncGenerator[tuple[str, Board]]:
    """A wall that listens; its address and its board."""
    app = create_wall(WallSettings())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.board
        app.state.board.close()
        server.should_exit = True
        await task


@asynccontextmanager
async def source(kafka: str, topic: str, letters: str, sink: str) -> AsyncGenerator[None]:
    settings = SourceSettings(kafka=kafka, source_sink=sink, source_group=f"{topic}{sink[-8:]}")
    stop = asyncio.Event()
    task = asyncio.create_task(deliver(settings, [topic], stop, letters))
    yield
    stop.set()
    await task


async def facts(postgres_dsn: str) -> tuple[list[Message], dict[str, dict[str, object]]]:
    """What the relay would publish of some lives at different times, and what SQL counts in it."""
    async with await connect(postgres_dsn, name="test") as conn:
        for n in range(ORDERS):
            await record(conn, life(f"w-{n}")[:6], START + timedelta(seconds=7 * n))
        recorded = await log.tail(conn, 0, 10_000)
        rows = await (await conn.execute(BY_MINUTE)).fetchall()
    messages = [message for each in recorded if (message := fact_of(each)) is not None]
    return messages, {row[0]: {"orders": row[1], "revenue": {"EUR": row[2]}} for row in rows}


async def test_orders_are_shown_in_order_and_counted_as_in_sql(
    postgres_dsn: str, kafka: str, topics: MakeTopic
):
    topic, letters = await topics("events", 6), await topics("letters", 1)
    messages, by_minute = await facts(postgres_dsn)
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    async with wall() as (address, board):
        watching = board.watch()
        async with (
            source(kafka, topic, letters, f"{address}/orders"),
            source(kafka, topic, letters, f"{address}/minutes"),
            httpx.AsyncClient(base_url=address) as client,
        ):
            began = time.monotonic()
            dice = random.Random(7)
            for n, message in enumerate(messages):
                await publisher.publish(topic, message)
                if dice.random() < 0.2:  # the relay may repeat, from a while ago on
                    await publisher.publish(topic, messages[max(0, n - 9)])
                await asyncio.sleep(max(0.0, began + n / RATE - time.monotonic()))
            last = {each.subject: each for each in messages if each.subject.startswith("order-")}
            async with asyncio.timeout(30):
                while {key: shown.position for key, shown in board.orders.items()} != {
                    key.removeprefix("order-"): each.position for key, each in last.items()
                }:
                    await asyncio.sleep(0.02)
                while (await client.get("/minutes")).json()["minutes"] != by_minute:
                    await asyncio.sleep(0.02)
    await publisher.stop()
    shown: list[Shown] = []
    while (each := watching.get_nowait()) is not None:
        shown.append(each)
    assert len(shown) == len(set(shown)) == sum(m.subject.startswith("order-") for m in messages)
    for order_id in {each.order_id for each in shown}:
        positions = [each.position for each in shown if each.order_id == order_id]
        assert positions == sorted(positions)
    assert len(by_minute) > 5
