"""A partner's topics, source, intake and the dead letters' agent."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from store import outcomes, parked
from store.connect import AsyncConnection
from store.dead_letters import PROCESSOR
from store.parked import Parked
from streams.settings import Settings
from tests.integration.intake_world import Intake
from tests.integration.relay_world import until


class Way:
    """The whole way in: topics, source, intake, the dead letters' agent."""

    def __init__(
        self, conn: AsyncConnection, intake: Intake, producer: Any, letters: str, settings: Settings
    ) -> None:
        self.conn, self.intake, self.producer = conn, intake, producer
        self.letters, self.settings = letters, settings
        self.mark = f"plum.{uuid4().hex[:8]}@orchard.example"

    async def put(self, topic: str, data: Any) -> None:
        """A plain record, with the person in its key, its headers and its body."""
        headers = [("owner", self.mark.encode())]
        body = json.dumps(data).encode()
        await self.producer.send_and_wait(topic, body, key=self.mark.encode(), headers=headers)

    async def parked(self, count: int = 1) -> list[Parked]:
        async def there() -> bool:
            return len(await parked.listing(self.conn, processor=PROCESSOR)) >= count

        await until(there)
        return await parked.listing(self.conn, processor=PROCESSOR)

    async def wish(self, row: Parked, wish: str, *, nudged: bool = True) -> None:
        at = datetime.now(UTC)
        await parked.wish(self.conn, [row.id], wish, by="me", because="why", at=at)
        if nudged:
            nudge = [("ce_type", parked.NUDGE.encode())]
            await self.producer.send_and_wait(self.letters, b"{}", key=b"k", headers=nudge)

    async def gone(self, row: Parked) -> str:
        """Wait until the row is gone; gives what became of it."""

        async def is_gone() -> bool:
            return await parked.show(self.conn, row.id) is None

        await until(is_gone)
        return (await outcomes.find(self.conn, [row.command_id]))[row.command_id].result

    async def tried(self, row: Parked) -> Parked:
        """Wait until it was redriven in vain."""

        async def again() -> bool:
            found = await parked.show(self.conn, row.id)
            return found is not None and found.attempts > row.attempts

        await until(again)
        found = await parked.show(self.conn, row.id)
        assert found is not None
        return found


async def letter(way: Way, **changes: str) -> None:
    """A dead letter as Knative's sink writes it."""
    told = {
        "specversion": "1.0", "id": "K-1", "source": "//shop", "type": "partner.goods-receipt.v1",
        "partitionkey": "p", "knativeerrordest": f"{way.intake.url}/events",
        "knativeerrorcode": "503", "knativeerrordata": "d2h5",
        "datacontenttype": "application/json", **changes,
    }  # fmt: skip
    headers = [(f"ce_{name}", text.encode()) for name, text in told.items() if text]
    body = b'{"lines":[{"sku":"mug","quantity":1}]}'
    await way.producer.send_and_wait(way.letters, body, key=b"p", headers=headers)
