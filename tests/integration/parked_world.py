"""What the tests of parked messages share: an owner, and the desk that moves them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from msgspec.structs import replace

from api.app import create_app
from api.settings import Settings
from bus.message import Message
from domain.message import Line, Money
from domain.order.messages import PlaceOrder
from store import outcomes, parked, parked_choice
from store.connect import AsyncConnection, connect
from store.log import read_streams
from store.parked_choice import Choice
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Record, Topic, message, named, settings


def place(order_id: str) -> PlaceOrder:
    return PlaceOrder(order_id, (Line(1, "mug", 1, Money(500, "GBP")),), "GBP", "tok_approve")


class Room:
    """The owner of the orders, and the API whose nudges go straight to it."""

    def __init__(self, conn: AsyncConnection, owner: Engine, client: httpx.AsyncClient) -> None:
        self.conn, self.owner, self.client = conn, owner, client
        self.topic = Topic()
        self.turn = asyncio.Lock()

    async def publish(self, topic: str, message: Message) -> None:
        assert topic == self.owner.context.topic
        async with self.turn:
            await self.owner.handle([self.topic.send(message)])

    async def park(self, key: str, *behind: Record) -> int:
        """Park a message of this key that nobody can decode, and others behind it."""
        await self.owner.handle([self.topic.raw(key.encode(), b'{"order_id":7}', self.head(key))])
        for each in behind:
            await self.owner.handle([each])
        return (await self.rows(key))[0].id

    def head(self, key: str, **changes: Any) -> list[tuple[str, bytes]]:
        return replace(message(place(key), f"{key}/place"), **changes).headers()

    async def rows(self, key: str) -> list[parked.Parked]:
        return await parked_choice.chosen(self.conn, Choice(key=key), limit=1000)

    async def result(self, origin: str | UUID) -> str | None:
        id = named(origin) if isinstance(origin, str) else origin
        found = await outcomes.find(self.conn, [id])
        return found[id].result if found else None

    async def types(self, stream: str) -> list[str]:
        return [fact.type for fact in (await read_streams(self.conn, [stream])).get(stream, [])]

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"/ops/parked/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def open_room(postgres_dsn: str, tmp_path: Path) -> AsyncGenerator[Room]:
    """Own the orders, and serve `/ops/parked` without Kafka."""
    chosen = settings(postgres_dsn, tmp_path)
    owner = Engine(declare("order", chosen), chosen)
    await owner.own({0: None})
    asked = Settings.model_validate(
        {"postgres_dsn": postgres_dsn, "kafka": "127.0.0.1:1", "state_dir": tmp_path}
    )
    async with await connect(postgres_dsn, name="test") as conn:
        made = Room(conn, owner, httpx.AsyncClient())
        app = create_app(asked, made)
        async with app.state.service.opened():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                made.client = client
                yield made
    await owner.close()
