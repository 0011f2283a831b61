"""Takes wishes that are written down to Kafka, each once at a time."""

import asyncio

from api.writer import Writer
from bus.message import Message
from bus.publisher import Publisher, PublishFailed
from store.idempotency import Key, Wish


class Sending:
    """Who asks for the same wish meanwhile waits for the send that is under way."""

    def __init__(self, publisher: Publisher, writer: Writer) -> None:
        self._publisher = publisher
        self._writer = writer
        self._under_way: dict[Key, asyncio.Future[None]] = {}

    async def send(self, wish: Wish, message: Message | None = None) -> None:
        """Return when Kafka has it; raises PublishFailed."""
        key = wish[:2]
        if wish.state != "open" or self._writer.marked(key):
            return None
        before = self._under_way.get(key)
        if before is not None:
            return await asyncio.shield(before)
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way[key] = sent
        try:
            await self._publisher.publish(wish.topic, message or _message(wish))
        except BaseException:
            sent.set_exception(PublishFailed("the send that was under way failed"))
            sent.exception()  # heard: nobody else may be waiting for it
            raise
        else:
            self._writer.mark(key)
            sent.set_result(None)
        finally:
            del self._under_way[key]


def _message(wish: Wish) -> Message:
    """From the row, so that every repeat sends the very same message."""
    return Message.written(wish.record_key, wish.body, wish.headers)
