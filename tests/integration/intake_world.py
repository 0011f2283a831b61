"""The intake over real HTTP on a real Postgres, and requests to it as others write them."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn

from api.intake.app import create_intake
from api.settings import Settings
from bus.publisher import Publisher
from domain.message import Command
from store.codec import decode_command
from tests.integration.api.world import Kept

SOURCE = "//partner.example/shop"
ORDER: dict[str, Any] = {
    "lines": [{"sku": "mug", "quantity": 2}],
    "payment_method": "tok_approve",
    "contact": {"name": "Ada", "email": "ada@example.org", "address": "Somewhere 1"},
}


class Intake:
    """Where it answers, and what it published when nobody else took it."""

    def __init__(self, client: httpx.AsyncClient, kept: Kept, url: str) -> None:
        self.client, self.kept, self.url = client, kept, url

    async def binary(self, type: str, id: str, data: Any, **changes: str) -> httpx.Response:
        headers = {
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-type": type,
            "ce-source": SOURCE,
            "ce-id": id,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return await self.post(msgspec.json.encode(data), headers)

    async def structured(self, item: object, *, batch: bool = False) -> httpx.Response:
        kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
        return await self.post(msgspec.json.encode(item), {"content-type": kind})

    async def post(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return await self.client.post("/events", content=body, headers=dict(headers))

    def commands(self) -> list[Command]:
        """What was published, each once."""
        once = {message.id: message for _, message in self.kept.messages}
        return [decode_command(message.type, message.data) for message in once.values()]


def item(type: str, id: str, data: Any, **changes: Any) -> dict[str, Any]:
    """An event in structured mode."""
    head = {"specversion": "1.0", "type": type, "source": SOURCE, "id": id}
    return {**head, "data": data, **changes}


def plain(topic: str, partition: int, offset: int, **more: str) -> dict[str, str]:
    """The headers with which KafkaSource delivers a record that is no CloudEvent."""
    return {
        "ce-specversion": "1.0",
        "ce-id": f"partition:{partition}/offset:{offset}",
        "ce-source": f"/apis/v1/namespaces/shop/kafkasources/partners#{topic}",
        "ce-type": "dev.knative.kafka.event",
        "ce-subject": f"partition:{partition}#{offset}",
        "ce-time": "2026-11-21T12:00:00.123Z",
        **more,
    }


@asynccontextmanager
async def serving(
    dsn: str, path: Path, publisher: Publisher | None = None, **changes: object
) -> AsyncGenerator[Intake]:
    """An intake that listens; it publishes into a list unless there is a `publisher`."""
    kept = Kept()
    settings = Settings.model_validate(
        {"postgres_dsn": dsn, "kafka": "127.0.0.1:1", "state_dir": path, **changes}
    )
    app = create_intake(settings, publisher or kept)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, ws="none", http="httptools", timeout_graceful_shutdown=3
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield Intake(client, kept, url)
        server.should_exit = True
        await task
