"""An owner of the notifications for the tests of mail: a real SMTP server, a real Postgres."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from domain.message import Command
from domain.notification.messages import Notify
from store import timers
from store.codec import decode_command
from store.connect import AsyncConnection, connect
from store.log import Recorded, read_streams
from store.vault import Vault, read_master_key
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic, settings
from tests.integration.mail_sink import Sink, sink

ADA = {"name": "Ada Plumtree", "email": "ada@orchard.example", "address": "1 Damson Crescent"}
FACTS = {"amount": "123499 GBP"}


class Post:
    """An owner of the notifications with a clock that the test turns."""

    def __init__(
        self, dsn: str, path: Path, conn: AsyncConnection, sink: Sink, **changes: object
    ) -> None:
        self.sink = sink
        self._changes = changes
        self.path = path
        self.now = datetime.now(UTC)
        self.dsn = dsn
        self._conn = conn
        self._topic = Topic()
        self._engine: Engine | None = None
        self.person = f"c-{uuid4().hex[:8]}"

    async def begin(self) -> Engine:
        chosen = settings(self.dsn, self.path, **self.sink.settings, **self._changes)
        declared = declare("notification", chosen)
        self._engine = Engine(declared, chosen, clock=lambda: self.now)
        await self._engine.own({0: None})
        return self._engine

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.close()

    async def seal(self, contact: dict[str, str], subject: str = "") -> str:
        vault = Vault(read_master_key(self.path / "master.key"))
        person = subject or f"customer:{self.person}"
        return await vault.seal(self._conn, person, msgspec.json.encode(contact))

    async def notify(self, **changes: Any) -> Notify:
        order = f"o-{uuid4().hex[:8]}"
        wish = Notify(
            f"{order}.order_confirmed.email.1", order, "order_confirmed", "email",
            self.person, await self.seal(ADA), "en", FACTS,
        )  # fmt: skip
        wish = msgspec.structs.replace(wish, **changes)
        await self.handle(wish)
        return wish

    async def handle(self, command: Command, origin: str = "") -> None:
        engine = self._engine or await self.begin()
        await engine.handle([self._topic.command(command, origin or f"{uuid4()}")])

    async def armed(self, wish: Notify) -> timers.Timer | None:
        far = self.now + timedelta(days=365)
        for timer in await timers.due(self._conn, ["notification"], far, 1000):
            if timer.stream == wish.stream:
                return timer
        return None

    async def turn_to_retry(self, wish: Notify) -> None:
        """Turn the clock to the next try, and announce it."""
        timer = await self.armed(wish)
        assert timer is not None
        self.now = timer.due_at
        command = decode_command(timer.kind, timer.command.encode())
        assert self._engine is not None
        await self._engine.handle([self._topic.timer(command, timer.id)])

    async def facts(self, wish: Notify) -> list[Recorded]:
        return (await read_streams(self._conn, [wish.stream])).get(wish.stream, [])

    async def ends(self, wish: Notify) -> tuple[str, str]:
        """The last fact of a message, with its code or reason."""
        event: Any = (await self.facts(wish))[-1].event
        code = getattr(event, "code", "") or getattr(event, "reason", "")
        return event.type.split(".")[2], code

    async def erase(self, subject: str) -> None:
        await self._conn.execute("delete from contact_key where subject = %s", (subject,))


@asynccontextmanager
async def posting(dsn: str, path: Path, **changes: object) -> AsyncGenerator[Post]:
    """An owner whose mail goes to a sink in a process of its own."""
    async with await connect(dsn, name="test") as conn, sink(path) as made:
        await made.start()
        post = Post(dsn, path, conn, made, **changes)
        try:
            yield post
        finally:
            await post.close()
