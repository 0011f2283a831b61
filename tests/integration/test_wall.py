"""The wall, told by the source from a real topic: each order once, in order; minutes as in SQL."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.settings import Settings, WallSettings
from api.wall.app import create_wall
from api.wall.board import Worth
from api.wall.thresholds import Threshold, event_of
from api.wall.truth import Truth
from bus.message import Message
from bus.publisher import KafkaPublisher
from domain.order.messages import OrderPlaced
from store import log
from store.connect import AsyncConnection, connect
from store.tasks import end
from streams.projector import Projector
from streams.reactions import fact_of
from streams.settings import SourceSettings
from streams.source import deliver
from tests.integration.api.world import Kept
from tests.integration.facts import START, life, record
from tests.integration.receiver import receiving
from tests.integration.relay_world import until
from tests.integration.wall_world import Page, last_facts, minutes, serving

MakeTopic = Callable[[str, int], Awaitable[str]]
ORDERS = 60
RATE = 200


@asynccontextmanager
async def source(kafka: str, topic: str, letters: str, sink: str) -> AsyncGenerator[None]:
    settings = SourceSettings(kafka=kafka, source_sink=sink, source_group=f"{topic}{sink[-8:]}")
    stop = asyncio.Event()
    task = asyncio.create_task(deliver(settings, [topic], stop, letters))
    yield
    stop.set()
    await task


async def facts(conn: AsyncConnection, after: int = 0) -> list[Message]:
    """What the relay would publish."""
    recorded = await log.tail(conn, after, 10_000)
    return [message for each in recorded if (message := fact_of(each)) is not None]


async def catch_up(conn: AsyncConnection) -> None:
    projector = Projector(conn)
    while await projector.step():
        pass


async def told(address: str) -> dict[str, object]:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{address}/minutes")).json()["minutes"]


async def tell(address: str, message: Message) -> int:
    """Post a fact as KafkaSource does; gives the status."""
    headers = {
        name.replace("ce_", "ce-"): text.decode() for name, text in message.headers()
    }  # fmt: skip
    async with httpx.AsyncClient() as client:
        posted = await client.post(f"{address}/minutes", content=message.data, headers=headers)
        return posted.status_code


@pytest.fixture
async def api(postgres_dsn: str, tmp_path: Path) -> AsyncGenerator[str]:
    settings = Settings.model_validate(
        {"postgres_dsn": postgres_dsn, "kafka": "127.0.0.1:1", "state_dir": tmp_path}
    )
    async with serving(create_app(settings, Kept())) as address:
        yield address


async def test_orders_are_shown_in_order_and_counted_as_in_sql(
    postgres_dsn: str, kafka: str, topics: MakeTopic
):
    topic, letters = await topics("events", 6), await topics("letters", 1)
    async with await connect(postgres_dsn, name="test") as conn:
        for n in range(ORDERS):
            await record(conn, life(f"w-{n}")[:6], START + timedelta(seconds=7 * n))
        messages, by_minute, last = await facts(conn), await minutes(conn), await last_facts(conn)
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    app = create_wall(WallSettings())
    async with serving(app) as address:
        page = Page(address)
        reading = asyncio.create_task(page.read())
        async with (
            source(kafka, topic, letters, f"{address}/orders"),
            source(kafka, topic, letters, f"{address}/minutes"),
        ):
            began = time.monotonic()
            dice = random.Random(7)
            for n, message in enumerate(messages):
                await publisher.publish(topic, message)
                if dice.random() < 0.2:  # the relay may repeat, from a while ago on
                    await publisher.publish(topic, messages[max(0, n - 9)])
                await asyncio.sleep(max(0.0, began + n / RATE - time.monotonic()))

            async def all_shown() -> bool:
                return page.rows == last and await told(address) == by_minute

            await until(all_shown)
        app.state.wall.feed.close()
        await end(reading)
    await publisher.stop()
    for positions in page.of_each().values():
        assert positions == sorted(set(positions))
    assert len(page.seen) > len(last)  # it was told more than how each stands in the end
    assert len(by_minute) > 5


async def test_scaled_from_zero_it_knows_what_another_was_told(postgres_dsn: str, api: str):
    settings = WallSettings(wall_api=api)
    async with await connect(postgres_dsn, name="test") as conn:
        before = await log.head(conn)
        for n in range(5):
            await record(conn, life(f"z-{n}")[:6], START + timedelta(days=1, seconds=n))
        await catch_up(conn)
        placed = [each for each in await facts(conn, before) if each.type == OrderPlaced.type]
        name = placed[0].time.strftime("%Y-%m-%dT%H:%MZ")
        app = create_wall(settings)
        async with serving(app) as address:
            page = Page(address)
            reading = asyncio.create_task(page.read())
            assert await tell(address, placed[2]) == 202
            assert (await told(address))[name] == (await minutes(conn))[name]
            await record(conn, life("z-late")[:6], START + timedelta(days=1, seconds=50))
            placed = [each for each in await facts(conn, before) if each.type == OrderPlaced.type]
            for each in placed:  # the last one is not in the view yet
                assert await tell(address, each) == 202
            assert (await told(address))[name] == (await minutes(conn))[name]
            last = {key: at for key, at in (await last_facts(conn)).items() if key != "z-late"}

            async def shown() -> bool:
                return page.rows == last

            await until(shown)
            app.state.wall.feed.close()
            await end(reading)


async def test_the_api_tells_what_an_order_came_to_when_it_was_placed(postgres_dsn: str, api: str):
    async with await connect(postgres_dsn, name="test") as conn:
        before = await log.head(conn)
        await record(conn, life("v-0")[:6], START + timedelta(days=4))
        await catch_up(conn)
        [placed] = [each for each in await facts(conn, before) if each.type == OrderPlaced.type]
    truth = Truth(api)
    assert await truth.total("v-0") == Worth(**json.loads(placed.data)["total"])
    assert await truth.total("nobody's/order") is None
    await truth.close()


async def test_a_passed_threshold_is_posted_until_it_is_taken_and_then_no_more(
    postgres_dsn: str, api: str
):
    settings = WallSettings(wall_api=api, wall_thresholds="orders=3 revenue.EUR=5000")
    async with await connect(postgres_dsn, name="test") as conn, receiving() as sink:
        before = await log.head(conn)
        for n in range(4):
            await record(conn, life(f"t-{n}")[:6], START + timedelta(days=2, seconds=n))
        await catch_up(conn)
        placed = [each for each in await facts(conn, before) if each.type == OrderPlaced.type]
        name = placed[0].time.strftime("%Y-%m-%dT%H:%MZ")
        sink.refuse_all_with = 503
        async with serving(create_wall(settings, sink.url)) as address:
            assert await tell(address, placed[2]) == 503  # it has passed both
            assert await tell(address, placed[0]) == 202  # others are not held up
            sink.refuse_all_with = 0
            assert await tell(address, placed[2]) == 202
            posted = len(sink.came)
            for each in placed:
                assert await tell(address, each) == 202
            assert len(sink.came) == posted
        async with serving(create_wall(settings, sink.url)) as address:
            assert await tell(address, placed[3]) == 202  # another life: it tells it again
    assert len(sink.came) > posted
    wanted = [
        event_of(name, each)
        for each in (Threshold("orders", "", 3), Threshold("revenue", "EUR", 5000))
    ]
    assert {came.id for came in sink.came} == {each.attributes["id"] for each in wanted}
    for each in wanted:
        same = [came for came in sink.came if came.id == each.attributes["id"]]
        assert {came.body for came in same} == {each.data}
        for came in same:
            assert (
                came.told.items() >= {k.lower(): v for k, v in each.http_headers().items()}.items()
            )


async def test_one_that_was_refused_for_good_is_not_posted_for_ever(postgres_dsn: str, api: str):
    settings = WallSettings(wall_api=api, wall_thresholds="orders=1")
    async with await connect(postgres_dsn, name="test") as conn, receiving() as sink:
        before = await log.head(conn)
        await record(conn, life("r-0")[:6], START + timedelta(days=3))
        await catch_up(conn)
        [placed] = [each for each in await facts(conn, before) if each.type == OrderPlaced.type]
        sink.refuse_all_with = 400
        async with serving(create_wall(settings, sink.url)) as address:
            for _ in range(3):
                assert await tell(address, placed) == 202
    assert len(sink.came) == 1
