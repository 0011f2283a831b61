"""What the routes share: connections, publisher, vault, wake-ups, the state of health."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from uuid import UUID

import msgspec
from fastapi import Request

from api.live_feed import Feed
from api.metrics import Metrics
from api.prices import Prices
from api.problems import Problem
from api.sending import Sending
from api.settings import Settings
from api.sinks import SinkPublisher
from api.together import Alike, Together
from api.wakeups import Wakeups, Watch
from api.writer import Writer
from bus.publisher import KafkaPublisher, Publisher, PublishFailed
from gateways.clock import Clock, this_host
from store import connect, outcomes, parcels
from store.errors import Unavailable, translated
from store.outcomes import Outcome
from store.parcels import Parcel
from store.tasks import end
from store.vault import Vault, read_master_key
from store.views import document, orders, progress, served

HEALTH_SECONDS = 1.0

Page = tuple[orders.Filter, str, int]
"""Which orders, from which cursor on, how many at most."""

_encode = msgspec.json.Encoder().encode


class Lease:
    """A borrowed connection. Written out: a generator would cost each request 20 microseconds."""

    def __init__(self, pool: connect.Pool) -> None:
        self._pool = pool
        self._conn: connect.AsyncConnection | None = None

    async def __aenter__(self) -> connect.AsyncConnection:
        with translated():
            self._conn = await self._pool.getconn()
            return self._conn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._conn is not None:
            await self._pool.putconn(self._conn)
        if error is not None:
            with translated():
                raise error


class Service:
    """Made once an application, opened and closed with it."""

    def __init__(
        self, settings: Settings, publisher: Publisher | None = None, clock: Clock = this_host
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = Metrics()
        dsn = settings.postgres_dsn.get_secret_value()
        self._pool = connect.pool(dsn, name="quire api", size=settings.api_connections)
        self.sinks = SinkPublisher(settings.sink_url) if settings.sink_url else None
        self._given = publisher or self.sinks
        self._kafka = None if self._given else KafkaPublisher(settings.kafka)
        master = read_master_key(
            settings.state_dir / "master.key", given=settings.master_key.get_secret_value()
        )
        self.vault = Vault(master)
        self.writer = Writer(dsn)
        self.sending = Sending(self.publisher, self.writer)
        self.prices = Prices(dsn, self.db)
        self._contact_keys: Together[str, bool] = Together(self._fetch_contact_keys)
        self.pages: Alike[Page, str] = Alike(self._read_page)
        self._documents: Together[str, str] = Together(self._read_documents)
        self.parcels: Together[tuple[bool, str], Parcel] = Together(self._find_parcels)
        self.wakeups = Wakeups(dsn)
        self.outcomes: Watch[UUID, Outcome] = Watch(self._outcomes, self.wakeups)
        self.shown: Watch[int, bool] = Watch(self._shown, self.wakeups)
        self.resting: Watch[str, str] = Watch(self._resting, self.wakeups)
        self.feed = Feed(self.db, self.wakeups)
        self._overload = ""

    def db(self) -> Lease:
        """A connection of the pool, for `async with`; what goes wrong is an error of the store."""
        return Lease(self._pool)

    @property
    def publisher(self) -> Publisher:
        publisher = self._given or self._kafka
        assert publisher is not None
        return publisher

    @asynccontextmanager
    async def opened(self, *, reads: bool = True) -> AsyncGenerator[None]:
        """Serve inside; without `reads` nobody can wait for what becomes of a wish."""
        async with AsyncExitStack() as stack:
            await self._pool.open()
            stack.push_async_callback(self._pool.close)
            if self._kafka is not None:
                await self._start(self._kafka)
                stack.push_async_callback(self._kafka.stop)
            if self.sinks is not None:
                stack.callback(self.sinks.close)
            stack.push_async_callback(self.writer.close)
            works = [self.writer.run(), self.prices.run(), self._watch_health()]
            if reads:
                works += [self.wakeups.run(), self.feed.run()]
            for work in works:
                task = asyncio.create_task(work)
                stack.push_async_callback(end, task)
            yield

    async def _start(self, kafka: KafkaPublisher) -> None:
        """Kafka may come up after us."""
        while True:
            try:
                await kafka.start()
            except PublishFailed:
                await asyncio.sleep(1)
            else:
                return

    async def seal(self, person: str, clear: bytes) -> str:
        """Seal under the key of a person who may have one already."""
        if not self.vault.knows(person):
            await self._contact_keys.get(person)
        return self.vault.seal_known(person, clear)

    async def document(self, order_id: str) -> str | None:
        """An order's document as it shows, ready to serve."""
        return await self._documents.get(order_id)

    async def _fetch_contact_keys(self, people: list[str]) -> Mapping[str, bool]:
        async with self.db() as conn:
            await self.vault.fetch(conn, people)
        return {}

    async def _read_documents(self, order_ids: list[str]) -> Mapping[str, str]:
        async with self.db() as conn:
            return await served.read(conn, order_ids)

    async def _find_parcels(
        self, names: list[tuple[bool, str]]
    ) -> Mapping[tuple[bool, str], Parcel]:
        """By our own ids, those with True, and by tracking numbers."""
        async with self.db() as conn:
            own = await parcels.by_id(conn, [name for is_own, name in names if is_own])
            carriers = await parcels.by_tracking(
                conn, [name for is_own, name in names if not is_own]
            )
        return {(True, name): each for name, each in own.items()} | {
            (False, name): each for name, each in carriers.items()
        }

    async def _read_page(self, page: Page) -> str:
        async with self.db() as conn:
            found, following = await orders.page(conn, *page)
        return f'{{"orders":[{",".join(found)}],"next":{_encode(following).decode()}}}'

    async def _outcomes(self, ids: Iterable[UUID]) -> Mapping[UUID, Outcome]:
        async with self.db() as conn:
            return await outcomes.find(conn, list(ids))

    async def _shown(self, positions: Iterable[int]) -> Mapping[int, bool]:
        async with self.db() as conn:
            reached = await progress.reached(conn, orders.NAME)
        return {position: True for position in positions if position <= reached}

    async def _resting(self, order_ids: Iterable[str]) -> Mapping[str, str]:
        async with self.db() as conn:
            found = await served.read(conn, list(order_ids))
        return {key: text for key, text in found.items() if document.decode(text).resting}

    async def _watch_health(self) -> None:
        while True:
            with suppress(Unavailable):
                await self._look_at_health()
            await asyncio.sleep(HEALTH_SECONDS)

    async def _look_at_health(self) -> None:
        limits = self.settings
        async with self.db() as conn:
            lag, parked = await progress.backlog(conn, orders.NAME)
        self.metrics.lag.set(lag)
        self.metrics.parked.set(parked)
        if lag > limits.max_lag_facts or parked > limits.max_parked:
            self._overload = f"{lag} facts are not shown yet and {parked} messages are parked"
        else:
            self._overload = ""

    def refuse_when_overloaded(self) -> None:
        """New wishes wait until the old ones are done."""
        if self._overload:
            raise Problem(
                503,
                "overloaded",
                self._overload,
                hint="Send the same request with the same Idempotency-Key later.",
                headers={"Retry-After": "5"},
            )


def service_of(request: Request) -> Service:
    """The application's service."""
    service: Service = request.app.state.service
    return service


async def given_service(request: Request) -> Service:
    """The same as a dependency: FastAPI runs those that are not async in threads."""
    return service_of(request)
