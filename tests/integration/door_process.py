"""One order through the API in a process of its own, which dies by kill -9 at a chosen step.

Arguments: the step that does not happen any more (publish: the row is written; mark: Kafka has
acknowledged; answer: the door is about to say so) and the Idempotency-Key. The body of the request
comes on stdin.
"""

import asyncio
import os
import signal
import sys
from collections.abc import MutableMapping
from typing import Any

import httpx

from api.app import create_app
from api.settings import Settings
from bus.message import Message
from bus.publisher import KafkaPublisher


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(KafkaPublisher):
    """The real one, and the end of the process before or after it."""

    def __init__(self, bootstrap: str, step: str) -> None:
        super().__init__(bootstrap)
        self._step = step

    async def publish(self, topic: str, message: Message) -> None:
        if self._step == "publish":
            die()
        await super().publish(topic, message)
        if self._step == "mark":
            die()


async def main(step: str, key: str, body: bytes) -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue] the environment fills it
    publisher = Dying(settings.kafka, step)
    await publisher.start()
    app = create_app(settings, publisher)

    async def dying(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def answering(message: MutableMapping[str, Any]) -> None:
            if step == "answer":
                die()
            await send(message)

        await app(scope, receive, answering)

    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    async with app.state.service.opened():
        transport = httpx.ASGITransport(dying)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            await client.post("/orders", content=body, headers=headers)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))
